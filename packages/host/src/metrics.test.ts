import assert from "node:assert/strict";
import { it } from "node:test";
import { Histogram } from "./metrics.ts";

it("a histogram counts a value in the first bucket whose end it does not pass, and adds it up", () => {
  const histogram = new Histogram([1, 10]);
  for (const value of [0, 1, 1.5, 10, 11]) histogram.record(value);
  histogram.record(4, 3);
  assert.deepEqual(histogram.counts, [2, 5, 1]);
  assert.deepEqual([histogram.count, histogram.sum], [8, 35.5]);
});
