import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { spread } from "./statistics.ts";

describe("spread", () => {
  it("tells the middle of what was measured and its ends", () => {
    assert.deepEqual(spread([3, 1, 2]), { median: 2, least: 1, most: 3 });
    assert.deepEqual(spread([4, 1, 2, 3]), { median: 2.5, least: 1, most: 4 });
    assert.throws(() => spread([]), RangeError);
  });
});
