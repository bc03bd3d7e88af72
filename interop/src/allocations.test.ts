/**
 * Random groups and topics, divided by the official client's strategies and by ours: the same queues. Groups of Java and
 * TypeScript members depend on it. With `ORBITMQ_RECORD` set, the vectors of the client's unit tests are written anew.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  type AllocateStrategy,
  allocateAveragely,
  allocateAveragelyByCircle,
  allocateByConfig,
  allocateByConsistentHash,
  allocateByMachineRoom,
  allocateNearby,
  type MessageQueue,
} from "@orbitmq/client";
import { javaClasspath } from "./java-classpath.ts";

const timeout = 60_000;
const CASES = 3_000;
const RECORDED = 10;
const program = fileURLToPath(new URL("../java/rebalance/Allocations.java", import.meta.url));
const vectors = fileURLToPath(
  new URL("../../packages/client/src/consumer/rebalance/allocate-vectors.ts", import.meta.url),
);

let state = Number(process.env["ORBITMQ_ALLOCATE_SEED"] ?? 1);
function int(bound: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
}

const ROOMS = ["east", "north", "west"];
const roomOf = (name: string) => name.split("@")[0]!;
const rooms = { ofQueue: ({ brokerName }: MessageQueue) => roomOf(brokerName), ofClient: roomOf };

interface Case {
  readonly strategy: string;
  readonly clientId: string;
  readonly clientIds: readonly string[];
  /** `topic:broker:id`. */
  readonly queues: readonly string[];
  /** Queues of CONFIG, rooms of MACHINE_ROOM. */
  readonly configured: readonly string[];
}

function strategyOf({ strategy, configured }: Case): AllocateStrategy {
  switch (strategy) {
    case "AVG":
      return allocateAveragely;
    case "AVG_BY_CIRCLE":
      return allocateAveragelyByCircle;
    case "CONSISTENT_HASH":
      return allocateByConsistentHash();
    case "CONFIG":
      return allocateByConfig(configured.map(queueOf));
    case "MACHINE_ROOM":
      return allocateByMachineRoom(configured);
    case "MACHINE_ROOM_NEARBY-AVG":
      return allocateNearby(allocateAveragely, rooms);
    default:
      return allocateNearby(allocateAveragelyByCircle, rooms);
  }
}

function queueOf(word: string): MessageQueue {
  const [topic, brokerName, queueId] = word.split(":") as [string, string, string];
  return { topic, brokerName, queueId: Number(queueId) };
}

const STRATEGIES = [
  ...["AVG", "AVG_BY_CIRCLE", "CONSISTENT_HASH", "CONFIG", "MACHINE_ROOM"],
  ...["MACHINE_ROOM_NEARBY-AVG", "MACHINE_ROOM_NEARBY-AVG_BY_CIRCLE"],
];

function randomCase(i: number): Case {
  const strategy = STRATEGIES[i % STRATEGIES.length]!;
  const clients = Array.from({ length: 1 + int(6) }, () => `${ROOMS[int(3)]}@10.0.0.${int(9)}@${int(999)}`);
  const clientIds = [...new Set(clients)].sort();
  const brokers = [
    ...new Set(Array.from({ length: 1 + int(4) }, () => `${ROOMS[int(3)]}@b${int(3)}`)),
  ].sort();
  const queues = brokers.flatMap((broker) =>
    Array.from({ length: 1 + int(8) }, (_, id) => `T:${broker}:${id}`),
  );
  // Java's CONFIG hands out its list as it is, whatever the topic has: only lists in order are alike.
  const configured =
    strategy === "CONFIG" ? queues.filter(() => int(2) === 0) : [ROOMS[int(3)]!, ROOMS[int(3)]!];
  const clientId = int(12) === 0 ? "nobody@1" : clientIds[int(clientIds.length)]!;
  return { strategy, clientId, clientIds, queues, configured: [...new Set(configured)] };
}

function ours(one: Case): string {
  const { clientId, clientIds, queues } = one;
  return strategyOf(one)
    .allocate({ clientId, clientIds, queues: queues.map(queueOf) })
    .map(({ topic, brokerName, queueId }) => `${topic}:${brokerName}:${queueId}`)
    .join(",");
}

async function java(cases: readonly Case[]): Promise<readonly string[]> {
  const child = spawn("java", ["-cp", await javaClasspath("5.5.0"), program], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const lines = cases.map(({ strategy, clientId, clientIds, queues, configured }) =>
    [strategy, clientId, clientIds.join(","), queues.join(","), configured.join(",")].join("\t"),
  );
  child.stdin.end(`${lines.join("\n")}\n`);
  return (await text(child.stdout)).split("\n").slice(0, -1);
}

test("the official client's strategies and ours divide queues alike", { timeout }, async () => {
  const cases = Array.from({ length: CASES }, (_, i) => randomCase(i));
  const answers = await java(cases);
  assert.equal(answers.length, CASES);
  for (const [i, one] of cases.entries()) {
    // Java's CONFIG answers also those who are no members; nobody asks it that.
    if (one.strategy === "CONFIG" && one.clientId === "nobody@1") continue;
    assert.equal(ours(one), answers[i], JSON.stringify(one));
  }
  if (process.env["ORBITMQ_RECORD"] !== undefined) record(cases, answers);
});

function record(cases: readonly Case[], answers: readonly string[]): void {
  const wanted = cases.map((one, i) => ({ ...one, mine: answers[i]! }));
  const kept = STRATEGIES.flatMap((name) =>
    wanted
      .filter(({ strategy, clientId, mine }) => strategy === name && clientId !== "nobody@1" && mine !== "")
      .slice(0, RECORDED),
  );
  const rows = kept.map(({ strategy, clientId, clientIds, queues, configured, mine }) =>
    JSON.stringify([strategy, clientId, clientIds.join(","), queues.join(","), configured.join(","), mine]),
  );
  writeFileSync(
    vectors,
    `/**
 * How RocketMQ 5.5.0's own classes divide queues: strategy, whose share, all clients, all queues, queues or rooms of the
 * configuration, the share. Recorded by interop/src/allocations.test.ts with ORBITMQ_RECORD=1.
 */
export const allocateVectors: readonly (readonly [string, string, string, string, string, string])[] = [
${rows.map((row) => `  ${row},`).join("\n")}
];
`,
  );
}
