import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queueOffset } from "@orbitmq/host";
import { javaHash, newSubscriptionData, newTopicConfig, PullSysFlag } from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { newSubscriptionGroupConfig } from "../consumer-groups/subscription-group-config.ts";
import { answerTo, type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { type Answer, call, type FakeExchange, type FakeRequest } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { pullMessage } from "./pull-message.ts";

const { COMMIT_OFFSET, SUSPEND, SUBSCRIPTION } = PullSysFlag;

const FIELDS = {
  consumerGroup: "group",
  topic: "orders",
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: SUBSCRIPTION as number,
  commitOffset: 0,
  suspendTimeoutMillis: 15_000,
  subscription: "*",
  subVersion: 0,
  expressionType: "TAG" as string | undefined,
  maxMsgBytes: undefined as number | undefined,
};

class Room {
  readonly room: BrokerRoom;
  readonly handler: ReturnType<typeof pullMessage>;

  constructor(tuning: Partial<BrokerTuning> = {}) {
    this.room = brokerRoom({ tuning });
    this.handler = pullMessage(this.room);
    this.room.topics.topics.apply({
      kind: "topic-put",
      topic: newTopicConfig("orders", { readQueueNums: 4, writeQueueNums: 4 }),
      atMs: 0,
    });
  }

  request(fields: Partial<typeof FIELDS> = {}, code = 11): FakeRequest {
    return { code, ext: { ...FIELDS, ...fields } };
  }

  pull(fields: Partial<typeof FIELDS> = {}): Answer {
    return answerTo(this.room, this.handler, this.request(fields));
  }

  start(fields: Partial<typeof FIELDS> = {}, peer = new FakePeer()): FakeExchange {
    return call(this.handler, { ...this.request(fields), peer });
  }

  /** Makes messages readable, each with its tag or none. */
  arrive(bodies: readonly string[], tag?: string, queueId = 0): void {
    const properties = tag === undefined ? "" : `TAGS\u0001${tag}\u0002`;
    const host = new Uint8Array(8);
    const messages = bodies.map((body) => ({
      topic: "orders",
      queueId,
      flag: 0,
      sysFlag: 0,
      bornTimestamp: 0,
      bornHost: host,
      storeHost: host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from(body),
      properties,
    }));
    this.room.store.autoFlush = false;
    this.room.store.appendBatch(messages, "flushed", { appendSettled: () => {} });
    this.room.store.flush();
  }

  heartbeat(subscription = newSubscriptionData("orders", "*", 5), messageModel = "CLUSTERING"): void {
    const consumer = {
      groupName: "group",
      consumeType: "CONSUME_PASSIVELY",
      messageModel,
      consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
      subscriptionDataSet: [subscription],
      unitMode: false,
    };
    const heartbeat = { peer: new FakePeer(), clientId: "c", consumer, fingerprint: 0, withoutSub: false };
    this.room.consumers.heartbeat(heartbeat, 0);
  }
}

describe("pull-message", () => {
  it("hands out messages from the offset on, and where to go on", () => {
    const at = new Room();
    at.arrive(["a", "b", "c"]);
    const answer = at.pull({ queueOffset: 1 });
    assert.equal(answer.code, 0);
    assert.equal(answer.remark, "FOUND");
    assert.equal(answer.body.toString(), "<b><c>");
    assert.deepEqual(Object.fromEntries(answer.ext), {
      suggestWhichBrokerId: "0",
      nextBeginOffset: "3",
      minOffset: "0",
      maxOffset: "3",
      topicSysFlag: "0",
      groupSysFlag: "0",
    });
  });

  it("notes for metrics how far the group has pulled, found or not", () => {
    const at = new Room();
    at.arrive(["a", "b", "c"]);
    const noted = () => at.room.pullOffsets.get("group", "orders", 0);
    at.pull({ maxMsgNums: 2 });
    assert.equal(noted(), 2);
    at.pull({ queueOffset: 2, subscription: "A" });
    assert.equal(noted(), 3);
  });

  it("releases what the store lent exactly once, found or not", () => {
    const at = new Room();
    at.arrive(["a"]);
    at.pull();
    at.pull({ queueOffset: 1, sysFlag: SUBSCRIPTION });
    at.pull({ queueOffset: 9 });
    assert.equal(at.room.store.released, at.room.store.gets);
    assert.equal(at.room.store.gets, 3);
  });

  it("hands out at most what is asked for, 256 messages and 256 KiB in any case", () => {
    const at = new Room();
    at.arrive(Array.from({ length: 40 }, () => "x".repeat(20_000)));
    assert.equal(at.pull({ maxMsgNums: 2 }).ext.get("nextBeginOffset"), "2");
    assert.equal(at.pull({ maxMsgNums: 1_000 }).ext.get("nextBeginOffset"), "13");
    assert.equal(at.pull({ maxMsgNums: 1_000, maxMsgBytes: 50_000 }).ext.get("nextBeginOffset"), "2");
    assert.equal(at.pull({ maxMsgBytes: 1 }).ext.get("nextBeginOffset"), "1");
    const small = new Room();
    small.arrive(Array.from({ length: 300 }, () => "x"));
    assert.equal(small.pull({ maxMsgNums: 100 }).ext.get("nextBeginOffset"), "100");
    assert.equal(small.pull({ maxMsgNums: 1_000 }).ext.get("nextBeginOffset"), "256");
    assert.equal(small.pull({ maxMsgNums: 0 }).ext.get("nextBeginOffset"), "256");
  });

  it("filters by tags", () => {
    const at = new Room();
    at.arrive(["a1"], "A");
    at.arrive(["b1"], "B");
    at.arrive(["c1"], "C");
    at.arrive(["none"]);
    assert.equal(at.pull({ subscription: "A || C" }).body.toString(), "<a1><c1>");
    const none = at.pull({ subscription: "D" });
    assert.deepEqual([none.code, none.ext.get("nextBeginOffset")], [20, "4"]);
  });

  it("maps what the store says to RocketMQ's codes", () => {
    for (const [status, offset, code] of [
      ["FOUND", 0, 0],
      ["NO_MATCHED_MESSAGE", 0, 20],
      ["MESSAGE_WAS_REMOVING", 0, 20],
      ["NO_MATCHED_LOGIC_QUEUE", 0, 19],
      ["NO_MATCHED_LOGIC_QUEUE", 3, 21],
      ["NO_MESSAGE_IN_QUEUE", 0, 19],
      ["NO_MESSAGE_IN_QUEUE", 3, 21],
      ["OFFSET_FOUND_NULL", 3, 19],
      ["OFFSET_OVERFLOW_ONE", 3, 19],
      ["OFFSET_OVERFLOW_BADLY", 3, 21],
      ["OFFSET_TOO_SMALL", 3, 21],
    ] as const) {
      const at = new Room();
      at.room.store.get = (_request, done) =>
        done({
          status,
          nextBeginOffset: queueOffset(7),
          minOffset: queueOffset(1),
          maxOffset: queueOffset(9),
          messageCount: 0,
          byteCount: 0,
          slices: [],
          suggestPullingFromSlave: false,
          heldAt: -1,
          release: () => {},
        });
      const answer = at.pull({ queueOffset: offset });
      assert.deepEqual([answer.code, answer.remark, answer.ext.get("nextBeginOffset")], [code, status, "7"]);
    }
  });

  describe("waits when it may", () => {
    const waiting = { sysFlag: SUBSCRIPTION | SUSPEND };

    it("until a message arrives", () => {
      const at = new Room();
      const exchange = at.start(waiting);
      at.room.host.advance(1_000);
      assert.equal(exchange.isAnswered, false);
      at.arrive(["a", "b"]);
      at.room.host.endTurn();
      assert.equal(exchange.answer?.body.toString(), "<a><b>");
      assert.equal(exchange.isLongPolling, true);
    });

    it("not for a message with another tag, which is skipped later", () => {
      const at = new Room();
      const exchange = at.start({ ...waiting, subscription: "A" });
      at.arrive(["b"], "B");
      at.room.host.endTurn();
      assert.equal(exchange.isAnswered, false);
      at.arrive(["a"], "A");
      at.room.host.endTurn();
      assert.equal(exchange.answer?.body.toString(), "<a>");
      assert.equal(exchange.answer?.ext.get("nextBeginOffset"), "2");
    });

    it("as long as it asks, then gets 19 and does not wait again", () => {
      const at = new Room();
      const exchange = at.start({ ...waiting, suspendTimeoutMillis: 3_000 });
      at.room.host.advance(2_999);
      assert.equal(exchange.isAnswered, false);
      at.room.host.advance(1);
      assert.equal(exchange.answer?.code, 19);
      assert.equal(at.room.longPoll.size, 0);
    });

    it("no longer than the broker's limit, and not at all for no time", () => {
      const at = new Room({ suspendTimeoutMillisMax: 500 });
      const exchange = at.start({ ...waiting, suspendTimeoutMillis: 3_000_000 });
      at.room.host.advance(500);
      assert.equal(exchange.answer?.code, 19);
      assert.equal(at.pull({ ...waiting, suspendTimeoutMillis: -1 }).code, 19);
    });

    it("shortly when long polling is off", () => {
      const at = new Room({ longPollingEnable: false });
      const exchange = at.start(waiting);
      at.room.host.advance(999);
      assert.equal(exchange.isAnswered, false);
      at.room.host.advance(1);
      assert.equal(exchange.answer?.code, 19);
    });

    it("but not when too many wait already", () => {
      const at = new Room({ parkedPullsMax: 1 });
      at.start(waiting);
      assert.equal(at.pull(waiting).code, 19);
    });

    it("and misses nothing that arrives between its look and its parking", () => {
      const at = new Room();
      const get = at.room.store.get.bind(at.room.store);
      at.room.store.get = (request, done) =>
        get(request, (result) => {
          if (at.room.store.appended.length === 0) at.arrive(["in between"]);
          done(result);
        });
      assert.equal(at.pull(waiting).body.toString(), "<in between>");
    });

    it("and is answered 19 when the broker stops", () => {
      const at = new Room();
      at.arrive(["a"]);
      const exchange = at.start({ ...waiting, queueOffset: 1 });
      at.room.longPoll.stop();
      assert.equal(exchange.answer?.code, 19);
      assert.equal(exchange.answer?.ext.get("nextBeginOffset"), "1");
    });

    it("and nobody is answered whose connection is gone", () => {
      const at = new Room();
      const peer = new FakePeer();
      const exchange = at.start(waiting, peer);
      peer.close();
      at.arrive(["a"]);
      at.room.host.advance(60_000);
      assert.equal(exchange.isAnswered, false);
    });

    it("each with its own filter, many in one queue", () => {
      const at = new Room();
      const exchanges = ["A", "B", "A || B", "*"].map((subscription) =>
        at.start({ ...waiting, subscription }),
      );
      at.arrive(["b"], "B");
      at.room.host.endTurn();
      assert.deepEqual(
        exchanges.map((exchange) => exchange.isAnswered),
        [false, true, true, true],
      );
    });
  });

  describe("commits the offset that travels with it", () => {
    it("when the flag says so", () => {
      const at = new Room();
      at.arrive(["a", "b", "c"]);
      at.pull({ sysFlag: SUBSCRIPTION, commitOffset: 2 });
      assert.equal(at.room.offsets.get("group", "orders", 0), undefined);
      at.pull({ sysFlag: SUBSCRIPTION | COMMIT_OFFSET, commitOffset: 2 });
      assert.equal(at.room.offsets.get("group", "orders", 0), 2);
    });

    it("once, also when it waits", () => {
      const at = new Room();
      at.arrive(["a"]);
      at.start({ sysFlag: SUBSCRIPTION | COMMIT_OFFSET | SUSPEND, queueOffset: 1, commitOffset: 1 });
      at.room.offsets.commit("group", "orders", 0, 0, "someone");
      at.arrive(["b"]);
      at.room.host.endTurn();
      assert.equal(at.room.offsets.get("group", "orders", 0), 0);
    });

    it("never beyond the end of the queue", () => {
      const at = new Room();
      at.arrive(["a"]);
      at.pull({ sysFlag: SUBSCRIPTION | COMMIT_OFFSET, commitOffset: 99 });
      assert.equal(at.room.offsets.get("group", "orders", 0), 1);
    });
  });

  describe("uses the subscription of the group's heartbeats", () => {
    const bare = { sysFlag: 0, subscription: "ignored" };

    it("when the request carries none", () => {
      const at = new Room();
      at.arrive(["a"], "A");
      at.arrive(["b"], "B");
      at.heartbeat(newSubscriptionData("orders", "B", 5));
      assert.equal(at.pull(bare).body.toString(), "<b>");
    });

    it("and refuses when it does not know it: 24, 25", () => {
      const at = new Room();
      assert.equal(at.pull(bare).code, 24);
      at.heartbeat(newSubscriptionData("other", "*", 5));
      assert.equal(at.pull(bare).code, 24);
      const newer = new Room();
      newer.heartbeat();
      assert.equal(newer.pull({ ...bare, subVersion: 6 }).code, 25);
      assert.equal(newer.pull({ ...bare, subVersion: 5 }).code, 19);
    });

    it("with everything for an empty list of codes only when it says everything", () => {
      const at = new Room();
      at.arrive(["a"], "A");
      at.heartbeat({ ...newSubscriptionData("orders", "Z", 5), codeSet: new Set() });
      assert.equal(at.pull(bare).code, 20);
    });

    it("and hands a class filter's group everything", () => {
      const at = new Room();
      at.arrive(["a"], "A");
      const subscription = { ...newSubscriptionData("orders", "B", 5), classFilterMode: true };
      at.heartbeat(subscription);
      assert.equal(at.pull(bare).code, 0);
    });

    it("and forbids broadcasting where the group must not: 16", () => {
      const at = new Room();
      at.room.groups.put({ ...newSubscriptionGroupConfig("group"), consumeBroadcastEnable: false });
      at.heartbeat(undefined, "BROADCASTING");
      const answer = at.pull(bare);
      assert.deepEqual([answer.code, answer.ext.get("forbiddenType")], [16, "4"]);
    });

    it("and forbids a topic an administrator forbade: 16", () => {
      const at = new Room();
      at.heartbeat();
      at.room.groups.groups.restore({
        groups: [],
        dataVersion: { counter: 0, stateVersion: 0, timestamp: 0 },
        forbidden: new Map([["group", new Map([["orders", 4]])]]),
      });
      const answer = at.pull(bare);
      assert.deepEqual([answer.code, answer.ext.get("forbiddenType")], [16, "5"]);
    });
  });

  describe("refuses with RocketMQ's code", () => {
    it("a broker that is not readable: 16, forbidden 1", () => {
      const answer = new Room({ brokerPermission: 2 }).pull();
      assert.deepEqual([answer.code, answer.ext.get("forbiddenType")], [16, "1"]);
    });

    it("a group that may not be created: 26", () => {
      assert.equal(new Room({ autoCreateSubscriptionGroup: false }).pull().code, 26);
      assert.equal(new Room().pull({ consumerGroup: "bad name" }).code, 26);
      assert.equal(new Room({ groupsMax: 1 }).pull().code, 26);
    });

    it("a group that may not consume: 16, forbidden 2", () => {
      const at = new Room();
      at.room.groups.put({ ...newSubscriptionGroupConfig("group"), consumeEnable: false });
      const answer = at.pull();
      assert.deepEqual([answer.code, answer.ext.get("forbiddenType")], [16, "2"]);
    });

    it("an unknown topic: 17", () => {
      assert.equal(new Room().pull({ topic: "nothing" }).code, 17);
    });

    it("a topic that is not readable: 16, forbidden 3", () => {
      const at = new Room();
      const topic = newTopicConfig("orders", { perm: 2 });
      at.room.topics.topics.apply({ kind: "topic-put", topic, atMs: 0 });
      const answer = at.pull();
      assert.deepEqual([answer.code, answer.ext.get("forbiddenType")], [16, "3"]);
    });

    it("a queue the topic does not have: 29", () => {
      assert.equal(new Room().pull({ queueId: 4 }).code, 29);
      assert.equal(new Room().pull({ queueId: -1 }).code, 29);
    });

    it("an expression without a tag: 23", () => {
      assert.equal(new Room().pull({ subscription: "||" }).code, 23);
    });
  });

  it("compares tags by Java's hash", () => {
    const at = new Room();
    // "Aa" and "BB" have the same hash; telling them apart is the client's part.
    assert.equal(javaHash("Aa"), javaHash("BB"));
    at.arrive(["b"], "BB");
    assert.equal(at.pull({ subscription: "Aa" }).body.toString(), "<b>");
  });
});
