/**
 * Random expressions over random properties: legal with an answer, or illegal with a place, never anything else.
 * Half of them are words in any order, half follow the grammar and are damaged a little. ORBITMQ_FUZZ_RUNS is their
 * number.
 */
import assert from "node:assert/strict";
import { it } from "node:test";
import { BrokerError } from "../broker-error.ts";
import { brokerDefaults } from "../broker-options.ts";
import { SqlFilter } from "./sql-filter.ts";

const RUNS = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 5_000);
const WORDS =
  "a b = <> > >= < <= ( ) , + - -- /* */ /**/ ' '' 'x' 'it''s' 5 5L 1.5 .5 1e9 99999999999999999999 TRUE false NULL not NOT AND and OR IN IS BETWEEN CONTAINS STARTSWITH ENDSWITH # é \u0000 \n $ _".split(
    / /,
  );
const VALUES = ["5", "5.0", "x", "", "true", "9223372036854775808", "-1", "NaN", "it's", null];

/** xorshift32: the same expressions on every machine. */
let state = 0x2545f491;
function int(bound: number): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % bound;
}

function pick<T>(items: readonly T[]): T {
  return items[int(items.length)]!;
}

function soup(): string {
  return Array.from({ length: int(30) }, () => pick(WORDS)).join(pick(["", " ", "  "]));
}

function unary(depth: number): string {
  if (depth > 0 && int(4) === 0) return `${pick(["", "NOT ", "-", "+"])}(${grammatical(depth - 1)})`;
  return pick(["a", "b", "5", "-2.5", "'x'", "TRUE", "NULL"]);
}

function grammatical(depth: number): string {
  const left = unary(depth);
  const tail = pick([
    () => ` = ${unary(depth)}`,
    () => ` >= ${unary(depth)}`,
    () => " IS NOT NULL",
    () => " IN ('x', '5')",
    () => ` NOT BETWEEN ${unary(depth)} AND ${unary(depth)}`,
    () => " STARTSWITH 'x'",
    () => ` AND ${grammatical(depth > 0 ? depth - 1 : 0)}`,
    () => ` OR ${unary(depth)}`,
  ]);
  return int(8) === 0 ? left : left + tail();
}

function damaged(text: string): string {
  const at = int(text.length + 1);
  return int(2) === 0 ? text : text.slice(0, at) + pick(WORDS) + text.slice(at + int(3));
}

it("answers or refuses every expression", () => {
  const seen = { legal: 0, illegal: 0, matched: 0, failed: 0 };
  for (let run = 0; run < RUNS; run++) {
    const text = int(2) === 0 ? soup() : damaged(grammatical(4));
    try {
      const filter = new SqlFilter(text, brokerDefaults);
      const matched = filter.matches({ get: () => pick(VALUES) });
      seen.legal++;
      seen.matched += Number(matched);
      seen.failed += filter.failures;
    } catch (error) {
      assert.ok(error instanceof BrokerError && error.code === "ILLEGAL_EXPRESSION", `${text}: ${error}`);
      assert.ok(error.message.length < 300, error.message);
      seen.illegal++;
    }
  }
  for (const [what, count] of Object.entries(seen)) assert.ok(count > RUNS / 200, `${what}: ${count}`);
});
