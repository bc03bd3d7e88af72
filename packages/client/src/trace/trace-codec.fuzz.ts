/** The text of traces against random and mutated input: never a throw, and what was read is written back the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { oneSimHost } from "../testing/test-world.ts";
import { decodeTrace, encodeTrace } from "./trace-codec.ts";

const runs = Number(process.env["ORBITMQ_FUZZ_RUNS"] ?? 3_000);

const pieces = [
  "Pub",
  "SubBefore",
  "SubAfter",
  "EndTransaction",
  "Recall",
  "1700000000123",
  "-1",
  "0",
  "4",
  "5",
  "99999999999999999999",
  "true",
  "FALSE",
  "null",
  "",
  "COMMIT_MESSAGE",
  "__proto__",
  "k1 k2",
  "ключ",
  "\u0002",
];

describe("fuzz: traces", () => {
  it("are read without a throw, and what was read is written back and read the same", () => {
    const { random } = oneSimHost(7);
    const pick = () => pieces[random.int(pieces.length)]!;
    let read = 0;
    for (let i = 0; i < runs; i++) {
      const fields = [pieces[random.int(5)]!];
      for (let n = random.int(16); n > 0; n--) fields.push(pick());
      const { contexts, malformed } = decodeTrace(fields.join("\u0001"));
      assert.ok(contexts.length + malformed > 0);
      read += contexts.length;
      assert.deepEqual(decodeTrace(contexts.map(encodeTrace).join("")), { contexts, malformed: 0 });
    }
    assert.ok(read > runs / 1_000, `${read} contexts of ${runs} texts`);
  });
});
