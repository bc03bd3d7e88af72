import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { newSubscriptionData, newTopicConfig } from "@orbitmq/wire";
import { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { ConsumerLag, type ConsumerLagNeeds } from "./consumer-lag.ts";
import { PullOffsets } from "./pull-offsets.ts";

const QUEUES = 4;
const END = 100;

/** Groups g0, g1, … consume topic t; each has committed 10 and pulled 30 of every queue. */
function room(groups: number, options: { readonly times?: boolean; readonly consumeType?: string } = {}) {
  const turns: (() => void)[] = [];
  const asked: string[] = [];
  let nowMs = 0;
  const consumers = new ConsumerGroups();
  const pullOffsets = new PullOffsets();
  for (let i = 0; i < groups; i++) {
    const consumer = {
      groupName: `g${i}`,
      consumeType: options.consumeType ?? "CONSUME_PASSIVELY",
      messageModel: "CLUSTERING",
      consumeFromWhere: "CONSUME_FROM_FIRST_OFFSET",
      subscriptionDataSet: [newSubscriptionData("t", "*", 1, "TAG")],
      unitMode: false,
    };
    const heartbeat = {
      peer: new FakePeer(),
      clientId: `c${i}`,
      consumer,
      fingerprint: 0,
      withoutSub: false,
    };
    consumers.heartbeat(heartbeat as never, 0);
    for (let queueId = 0; queueId < QUEUES; queueId++) pullOffsets.note(`g${i}`, "t", queueId, 30);
  }
  const table = new Map([
    ["idle", {}],
    ["g0", {}],
  ]);
  const committed = (group: string) => (group === "idle" ? 40 : 10);
  const needs = {
    clock: { monotonicMs: () => nowMs++, wallMs: () => 0 },
    timers: { afterTurn: (fn: () => void) => turns.push(fn) },
    store: {
      readableEnd: () => END,
      storeTimestampAt: (_topic: string, queueId: number, offset: number, done: (ms: number) => void) => {
        asked.push(`${queueId}@${offset}`);
        const answer = () => done(1_000 + offset + queueId);
        if (options.times === false) turns.push(answer);
        else answer();
      },
    },
    options: { brokerPermission: 6, enableRetryTopicV2: false },
    topics: { get: () => newTopicConfig("t", { readQueueNums: QUEUES, writeQueueNums: QUEUES }) },
    groups: { groups: { table } },
    consumers,
    offsets: {
      get: committed,
      offsets: {
        topicsOf: () => ["t"],
        queuesOf: (group: string) => new Map([[0, committed(group)]]),
      },
    },
    pullOffsets,
    popping: { log: { table: { all: () => [] } } },
  } as unknown as ConsumerLagNeeds;
  const lag = new ConsumerLag(needs);
  const refresh = (): number => {
    let done = false;
    let count = 0;
    lag.refresh(() => {
      done = true;
    });
    while (!done) {
      const turn = turns.shift();
      assert.ok(turn !== undefined, "a reading ends");
      count++;
      turn();
    }
    return count;
  };
  return { lag, refresh, asked };
}

describe("the lag of consumers", () => {
  it("is what lies behind the committed offset; in flight what was pulled of it, ready the rest", () => {
    const { lag, refresh } = room(1);
    refresh();
    assert.deepEqual(lag.rows, [
      {
        group: "g0",
        topic: "t",
        isRetry: false,
        lag: QUEUES * 90,
        inflight: QUEUES * 20,
        ready: QUEUES * 70,
        unconsumedSinceMs: 1_010,
        unpulledSinceMs: 1_030,
      },
    ]);
  });

  it("of a group nobody of which is online is told apart", () => {
    const { lag, refresh } = room(1);
    refresh();
    assert.deepEqual(lag.offline, [{ group: "idle", topic: "t", lag: 60 }]);
  });

  it("of thousands of groups is counted in many turns", () => {
    const { lag, refresh } = room(3_000);
    const turns = refresh();
    assert.equal(lag.rows.length, 3_000);
    assert.ok(turns > 1_000, String(turns));
  });

  it("asks for the store time of a message once, however many groups stand at it and however often it is read", () => {
    const { refresh, asked } = room(50, { times: false });
    refresh();
    const first = asked.length;
    assert.ok(first <= 2 * QUEUES + 4, String(first));
    refresh();
    assert.equal(asked.length, first);
  });

  it("has a row for the retry topic of a group that pops", () => {
    const { lag, refresh } = room(1, { consumeType: "CONSUME_POP" });
    refresh();
    assert.deepEqual(
      lag.rows.map(({ isRetry, inflight }) => [isRetry, inflight]),
      [
        [false, 0],
        [true, 0],
      ],
    );
  });
});
