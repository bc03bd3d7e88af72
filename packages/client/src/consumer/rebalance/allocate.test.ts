import assert from "node:assert/strict";
import { test } from "node:test";
import { allocateAveragely } from "./allocate.ts";

const queues = (count: number) =>
  Array.from({ length: count }, (_, queueId) => ({ topic: "T", brokerName: "a", queueId }));
const ids = (count: number) => Array.from({ length: count }, (_, i) => `c${String(i).padStart(2, "0")}`);
const shares = (queueCount: number, clientCount: number) =>
  ids(clientCount).map((id) =>
    allocateAveragely(queues(queueCount), ids(clientCount), id).map((queue) => queue.queueId),
  );

test("shares are contiguous and the first clients get one more", () => {
  assert.deepEqual(shares(8, 3), [
    [0, 1, 2],
    [3, 4, 5],
    [6, 7],
  ]);
  assert.deepEqual(shares(4, 2), [
    [0, 1],
    [2, 3],
  ]);
});

test("more clients than queues leave some without any", () => {
  assert.deepEqual(shares(2, 4), [[0], [1], [], []]);
  assert.deepEqual(shares(0, 2), [[], []]);
});

test("every queue has exactly one owner, whatever the numbers", () => {
  for (let queueCount = 0; queueCount <= 17; queueCount++) {
    for (let clientCount = 1; clientCount <= 9; clientCount++) {
      assert.deepEqual(
        shares(queueCount, clientCount).flat(),
        queues(queueCount).map((queue) => queue.queueId),
      );
    }
  }
});

test("a client that is not in the list gets nothing", () => {
  assert.deepEqual(allocateAveragely(queues(4), ["a", "b"], "c"), []);
});
