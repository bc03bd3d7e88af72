import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clientSources, readPage } from "./client-page.ts";
import { defaultNumbers, optionsOf, optionTable, problemsOf, withTables } from "./option-tables.ts";

const source = `
export interface Base {
  /** Not part of the table. */
  readonly base?: number | undefined;
}

export interface Thing extends Base {
  /** How long it
   * takes. Default 3000 (itsTime, in seconds there), from 10 on. */
  readonly timeMs?: number | undefined;
  /** Anything; default silent. */
  readonly logger?: Logger | undefined;
  /** Its name. */
  readonly group: string;
  /** Told. */
  readonly told?: ((a: A | B) => void) | undefined;
  /** Default 4 MiB. */
  readonly sizeBytes?: number | undefined;
}

export interface Part extends Base, Pick<Thing, | "timeMs"> {
  /** Default true. */
  readonly own?: boolean | undefined;
}

export const thingDefaults = {
  timeMs: 3_000,
  sizeBytes: 4 * 1024 * 1024,
} as const;
`;
const sources = new Map([["thing.ts", source]]);

describe("the tables of options", () => {
  it("have name, type, default with unit, RocketMQ's name and text of every option", () => {
    assert.deepEqual(optionTable(optionsOf(sources, "Thing")).split("\n").slice(2), [
      "| `timeMs` | `number` | 3000 ms (in seconds there), from 10 on | `itsTime` | How long it takes. |",
      "| `logger` | `Logger` | silent |  | Anything. |",
      "| `group` | `string` | required |  | Its name. |",
      "| `told` | `(a: A \\| B) => void` |  |  | Told. |",
      "| `sizeBytes` | `number` | 4 MiB |  |  |",
    ]);
  });

  it("have what an interface picks from another, and not what it inherits as a whole", () => {
    assert.deepEqual(
      optionsOf(sources, "Part").map(({ name }) => name),
      ["timeMs", "own"],
    );
  });

  it("are refused when a docstring and a constant differ, or a docstring is missing", () => {
    const wrong = new Map([
      ["thing.ts", source.replace("timeMs: 3_000", "timeMs: 3_001").replace("/** Told. */", "")],
    ]);
    assert.deepEqual(problemsOf(optionsOf(wrong, "Thing"), defaultNumbers(wrong)), [
      "timeMs: the docstring says 3000 (in seconds there), from 10 on, the constant 3001",
      "told has no docstring",
    ]);
    assert.throws(() => withTables("<!-- options: Thing -->\n<!-- end -->", wrong), /timeMs/);
    assert.throws(() => withTables("<!-- options: Nothing -->\n<!-- end -->", wrong), /Nothing/);
  });
});

it("docs/client.md says what the client's sources say (npm run docs writes it)", () => {
  assert.equal(readPage(), withTables(readPage(), clientSources()));
});
