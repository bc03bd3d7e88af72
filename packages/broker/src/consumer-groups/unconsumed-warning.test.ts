import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queueOffset, silentLogger } from "@orbitmq/host";
import { Offsets } from "./offsets.ts";
import { UnconsumedWarning } from "./unconsumed-warning.ts";

function warnings(
  committed: readonly [group: string, topic: string, queueId: number, offset: number][],
  removed: readonly [topic: string, queueId: number, from: number, to: number][],
): object[] {
  const offsets = new Offsets(500, 0);
  for (const [group, topic, queueId, offset] of committed) {
    offsets.apply({ kind: "offset-commit", group, topic, queueId, offset, atMs: 0 });
  }
  const said: object[] = [];
  const logger = { ...silentLogger, warn: (bindings: object | string) => said.push(bindings as object) };
  new UnconsumedWarning(offsets, logger).messagesRemoved(
    removed.map(([topic, queueId, from, to]) => ({
      topic,
      queueId,
      from: queueOffset(from),
      to: queueOffset(to),
    })),
  );
  return said;
}

describe("the warning before messages are removed", () => {
  it("names topic, group and count, summed over the queues", () => {
    const said = warnings(
      [
        ["slow", "orders", 0, 5],
        ["slow", "orders", 1, 0],
        ["quick", "orders", 0, 40],
        ["quick", "orders", 1, 40],
        ["late", "orders", 1, 39],
        ["slow", "events", 0, 0],
      ],
      [
        ["orders", 0, 3, 40],
        ["orders", 1, 30, 40],
      ],
    );
    assert.deepEqual(said, [
      { topic: "orders", group: "slow", count: 35 + 10 },
      { topic: "orders", group: "late", count: 1 },
    ]);
  });

  it("says nothing when everybody has consumed what goes", () => {
    assert.deepEqual(warnings([["g", "t", 0, 10]], [["t", 0, 0, 10]]), []);
    assert.deepEqual(warnings([], [["t", 0, 0, 10]]), []);
  });

  it("sums up what would be too many lines", () => {
    const groups = Array.from({ length: 130 }, (_, index): [string, string, number, number] => [
      `g${index}`,
      "t",
      0,
      0,
    ]);
    const said = warnings(groups, [["t", 0, 0, 10]]);
    assert.equal(said.length, 101);
    assert.deepEqual(said[100], { count: 300, groups: 30 });
  });
});
