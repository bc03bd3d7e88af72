import assert from "node:assert/strict";
import { test } from "node:test";
import { flatness } from "./flatness.ts";

test("what a series grew by in its first fifth does not count", () => {
  const { flatness: share, samples } = flatness([1, 50, 100, 100, 104, 100, 100, 97, 100, 100]);
  assert.equal(share, 0.04);
  assert.deepEqual(samples, { median: 100, least: 97, most: 104 });
});

test("a fall counts as a rise does", () => {
  assert.equal(flatness([100, 100, 100, 100, 90]).flatness, 0.1);
  assert.throws(() => flatness([]), RangeError);
});
