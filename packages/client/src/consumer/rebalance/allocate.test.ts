import assert from "node:assert/strict";
import { test } from "node:test";
import { OrbitError } from "../../errors/errors.ts";
import type { MessageQueue } from "../../message/message.ts";
import { allocateAveragely } from "./allocate-averagely.ts";
import { allocateAveragelyByCircle } from "./allocate-by-circle.ts";
import { allocateByConfig } from "./allocate-by-config.ts";
import { allocateByMachineRoom } from "./allocate-by-machine-room.ts";
import { allocateByConsistentHash } from "./allocate-consistent-hash.ts";
import { allocateNearby } from "./allocate-nearby.ts";
import type { AllocateStrategy } from "./allocate-strategy.ts";
import { allocateVectors } from "./allocate-vectors.ts";

const queues = (count: number) =>
  Array.from({ length: count }, (_, queueId) => ({ topic: "T", brokerName: "r@a", queueId }));
const ids = (count: number) => Array.from({ length: count }, (_, i) => `r@c${String(i).padStart(2, "0")}`);
const roomOf = (name: string) => name.split("@")[0]!;
const rooms = { ofQueue: ({ brokerName }: MessageQueue) => roomOf(brokerName), ofClient: roomOf };
const words = (text: string) => (text === "" ? [] : text.split(","));

function queueOf(word: string): MessageQueue {
  const [topic, brokerName, queueId] = word.split(":") as [string, string, string];
  return { topic, brokerName, queueId: Number(queueId) };
}

function strategyOf(name: string, configured: string): AllocateStrategy {
  if (name === "CONFIG") return allocateByConfig(words(configured).map(queueOf));
  if (name === "MACHINE_ROOM") return allocateByMachineRoom(words(configured));
  const plain = [
    allocateAveragely,
    allocateAveragelyByCircle,
    allocateByConsistentHash(),
    allocateNearby(allocateAveragely, rooms),
    allocateNearby(allocateAveragelyByCircle, rooms),
  ];
  return plain.find((strategy) => strategy.name === name)!;
}

test("every strategy divides queues as RocketMQ's own classes do", () => {
  assert.equal(new Set(allocateVectors.map(([strategy]) => strategy)).size, 7);
  for (const [name, clientId, clientIds, all, configured, mine] of allocateVectors) {
    const strategy = strategyOf(name, configured);
    const share = strategy.allocate({
      clientId,
      clientIds: words(clientIds),
      queues: words(all).map(queueOf),
    });
    assert.deepEqual(share, words(mine).map(queueOf), `${name} ${clientId} of ${clientIds}`);
  }
});

const dividing = [
  allocateAveragely,
  allocateAveragelyByCircle,
  allocateByMachineRoom(["r"]),
  allocateNearby(allocateAveragely, rooms),
  allocateByConsistentHash(),
];

test("every queue has exactly one owner, whatever the numbers", () => {
  for (const strategy of dividing) {
    for (let queueCount = 0; queueCount <= 17; queueCount++) {
      for (let clientCount = 1; clientCount <= 9; clientCount++) {
        const [all, clientIds] = [queues(queueCount), ids(clientCount)];
        const owned = clientIds.flatMap((clientId) =>
          strategy.allocate({ queues: all, clientIds, clientId }).map(({ queueId }) => queueId),
        );
        assert.deepEqual(
          owned.sort((a, b) => a - b),
          all.map(({ queueId }) => queueId),
          `${strategy.name}: ${queueCount} queues, ${clientCount} clients`,
        );
      }
    }
  }
});

test("a client that is not in the list gets nothing", () => {
  for (const strategy of [...dividing, allocateByConfig(queues(4))]) {
    assert.deepEqual(strategy.allocate({ queues: queues(4), clientIds: ["r@a"], clientId: "r@c" }), []);
  }
});

test("what is configured and not a queue of the topic is passed over", () => {
  const strategy = allocateByConfig([...queues(2), { topic: "other", brokerName: "a", queueId: 0 }]);
  assert.deepEqual(
    strategy.allocate({ queues: queues(1), clientIds: ids(1), clientId: ids(1)[0]! }),
    queues(1),
  );
});

test("a strategy that cannot divide says why", () => {
  const invalid = (error: unknown) => error instanceof OrbitError && error.code === "INVALID_ARGUMENT";
  assert.throws(() => allocateByMachineRoom([]), invalid);
  assert.throws(() => allocateByConsistentHash(0), invalid);
  const nowhere = allocateNearby(allocateAveragely, { ofQueue: () => "", ofClient: () => "here" });
  assert.throws(() => nowhere.allocate({ queues: queues(1), clientIds: ["c"], clientId: "c" }), invalid);
});
