import assert from "node:assert/strict";
import { test } from "node:test";
import { allocateAveragely } from "./allocate-averagely.ts";
import { type RebalanceInput, rebalance as step } from "./rebalance.ts";

const rebalance = (input: Omit<RebalanceInput, "strategy">) =>
  step({ strategy: allocateAveragely, ...input });

const queue = (brokerName: string, queueId: number) => ({ topic: "T", brokerName, queueId });
const all = [queue("b", 1), queue("a", 10), queue("a", 2), queue("b", 0)];

test("the order of the lists received does not matter, queue ids count as numbers", () => {
  const forwards = rebalance({ queues: all, clientIds: ["c1", "c2"], clientId: "c1", held: [] });
  const backwards = rebalance({
    queues: [...all].reverse(),
    clientIds: ["c2", "c1"],
    clientId: "c1",
    held: [],
  });
  assert.deepEqual(forwards.take, [queue("a", 2), queue("a", 10)]);
  assert.deepEqual(backwards, forwards);
});

test("what is held and still owned is neither dropped nor taken", () => {
  const step = rebalance({
    queues: all,
    clientIds: ["c1", "c2"],
    clientId: "c2",
    held: [queue("a", 10), queue("b", 0)],
  });
  assert.deepEqual(step, { drop: [queue("a", 10)], take: [queue("b", 1)] });
});

test("queues that left the route are dropped", () => {
  const step = rebalance({ queues: [queue("a", 0)], clientIds: ["c"], clientId: "c", held: [queue("z", 0)] });
  assert.deepEqual(step, { drop: [queue("z", 0)], take: [queue("a", 0)] });
});

test("an id listed twice counts once", () => {
  const step = rebalance({ queues: all, clientIds: ["c", "c"], clientId: "c", held: [] });
  assert.equal(step.take.length, 4);
});
