import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { writeDecimalDigits, writeHexDigits } from "./text-digits.ts";

const bytes = Buffer.alloc(64);
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** Numbers of every length, and those beside the powers of 10 and 2. */
function* numbers(): Generator<number> {
  for (let digits = 0; digits < 16; digits++)
    for (const add of [-1, 0, 1]) yield Math.max(0, 10 ** digits + add);
  for (let bits = 1; bits < 54; bits++)
    for (const add of [-1, 0]) yield Math.min(2 ** bits + add, 2 ** 53 - 1);
}

describe("digits", () => {
  it("are what the engine writes, decimal and hexadecimal, and nothing before or behind them is touched", () => {
    for (const value of numbers()) {
      for (const [text, write] of [
        [String(value), writeDecimalDigits],
        [value.toString(16).toUpperCase().padStart(16, "0"), writeHexDigits],
      ] as const) {
        bytes.fill(1);
        assert.equal(write(view, 3, value), 3 + text.length);
        assert.equal(bytes.toString("latin1", 3, 3 + text.length), text);
        assert.ok([...bytes].every((byte, at) => (at >= 3 && at < 3 + text.length) || byte === 1));
      }
    }
  });
});
