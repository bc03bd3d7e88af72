import assert from "node:assert/strict";
import { test } from "node:test";
import { selectByHash, selectByRandom } from "./selectors.ts";

const queues = [0, 1, 2, 3].map((queueId) => ({ topic: "T", brokerName: "a", queueId }));
const message = { topic: "T", body: "x" };
const random = { int: (bound: number) => bound - 1, float: () => 0, bytes: () => new Uint8Array() };

test("a key's queue is the one Java's SelectMessageQueueByHash chooses", () => {
  // "order-1".hashCode() = -1207111310; Math.abs(-1207111310 % 4) = 2
  assert.equal(selectByHash("order-1")(queues, message, random)?.queueId, 2);
  // "a".hashCode() = 97; 97 % 4 = 1
  assert.equal(selectByHash("a")(queues, message, random)?.queueId, 1);
});

test("a random queue comes from the host's randomness", () => {
  assert.equal(selectByRandom(queues, message, random)?.queueId, 3);
});
