import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copyBytes } from "./copy-bytes.ts";

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

describe("copyBytes", () => {
  it("copies any number of bytes from anywhere to anywhere and touches nothing else", () => {
    const from = Buffer.from(Array.from({ length: 64 }, (_, index) => index + 1));
    for (let length = 0; length < 40; length++) {
      for (let shift = 0; shift < 5; shift++) {
        const to = Buffer.alloc(64);
        copyBytes(viewOf(from), shift, viewOf(to), 2 * shift + 1, length);
        const expected = Buffer.alloc(64);
        from.copy(expected, 2 * shift + 1, shift, shift + length);
        assert.deepEqual(to, expected);
      }
    }
  });
});
