import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getProperty, newTopicConfig, RequestCode } from "@orbitmq/wire";
import { newSubscriptionGroupConfig } from "../consumer-groups/subscription-group-config.ts";
import { answerTo } from "../testing/broker-room.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { GROUP, PopRoom, poppedOf, RETRY_TOPIC, TOPIC } from "../testing/pop-room.ts";
import { invokeBrokerToResetOffset } from "./invoke-broker-to-reset-offset.ts";

describe("POP_MESSAGE", () => {
  it("gives messages of all queues, and nobody gets them again meanwhile", () => {
    const room = new PopRoom();
    room.send(["a", "b"], 0);
    room.send(["c"], 1);
    assert.deepEqual(room.bodies().sort(), ["a", "b", "c"]);
    assert.equal(room.answer().code, 210);
    room.advance(59_000);
    assert.equal(room.answer().code, 210);
  });

  it("gives at most what is asked for, and tells about how much is left", () => {
    const room = new PopRoom();
    room.send(["a", "b", "c"], 0);
    const answer = room.answer({ maxMsgNums: 2 });
    assert.equal(answer.ext.get("restNum"), "1");
    assert.equal(answer.ext.get("startOffsetInfo"), "0 0 0");
    assert.equal(answer.ext.get("msgOffsetInfo"), "0 0 0,1");
    assert.deepEqual(room.bodies(), ["c"]);
  });

  it("leaves the other queues alone when asked for one", () => {
    const room = new PopRoom();
    room.send(["a"], 0);
    room.send(["b"], 1);
    assert.deepEqual(room.bodies({ queueId: 1 }), ["b"]);
    assert.deepEqual(room.bodies({ queueId: 1 }), []);
    assert.deepEqual(room.bodies(), ["a"]);
  });

  it("commits past messages only when their checkpoint is durable, and answers only then", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.room.store.autoFlush = false;
    const first = room.start();
    room.room.host.endTurn();
    assert.equal(first.answer, undefined);
    assert.equal(room.committed(), 0);
    const second = room.start();
    assert.equal(second.answer?.code, 210, "what is on its way to somebody is nobody else's");
    room.room.store.flush();
    assert.equal(first.answer!.code, 0);
    assert.equal(room.committed(), 1);
  });

  it("gives nothing when the store takes no checkpoint, and what it would have given to the next", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.room.store.refusal = { reason: "DISK_FULL", remark: "full" };
    assert.equal(room.answer().code, 14);
    room.room.store.refusal = { reason: "BUSY", remark: "busy" };
    assert.equal(room.answer({ pollTime: 5_000 }).code, 2);
    room.room.store.refusal = undefined;
    assert.deepEqual(room.bodies(), ["a"]);
  });

  it("does not hand out what the store may have lost", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.room.store.autoFlush = false;
    const pop = room.start();
    room.room.store.fail();
    assert.equal(pop.answer!.code, 14);
    assert.equal(pop.answer!.body.length, 0);
    assert.equal(room.committed(), 0);
  });

  it("passes over what the tags do not match, and commits past it in order", () => {
    const room = new PopRoom();
    room.send(["x1", "x2"], 0, "TAGS\u0001X\u0002");
    room.send(["a"], 0, "TAGS\u0001A\u0002");
    room.send(["x3"], 0, "TAGS\u0001X\u0002");
    assert.deepEqual(room.bodies({ exp: "A" }), ["a"]);
    assert.equal(room.answer({ exp: "A" }).code, 210);
    assert.equal(room.committed(), 4);
  });

  it("filters by SQL92", () => {
    const room = new PopRoom();
    room.send(["cheap"], 0, "price\u00013\u0002");
    room.send(["dear"], 0, "price\u00019\u0002");
    assert.deepEqual(room.bodies({ expType: "SQL92", exp: "price > 5" }), ["dear"]);
    assert.equal(room.answer({ expType: "SQL92", exp: "price >" }).code, 23);
    assert.equal(room.answer({ exp: "||" }).code, 23);
  });

  it("goes on behind what its filter has looked at in one go, as long as it may wait", () => {
    const room = new PopRoom({ filterBytesMax: 1 });
    room.send(["x", "x", "x", "x"], 0, "price\u00013\u0002");
    room.send(["dear"], 0, "price\u00019\u0002");
    const filter = { expType: "SQL92", exp: "price > 5", queueId: 0 };
    assert.equal(room.answer(filter).code, 210);
    const waiting = room.start({ ...filter, pollTime: 15_000 });
    room.advance(1);
    assert.deepEqual(
      poppedOf(waiting.answer!).map(({ body }) => body),
      ["dear"],
    );
    assert.equal(room.committed(), 5);
  });

  it("gives what would have gone to a connection that has closed to the next", () => {
    const room = new PopRoom();
    const peer = new FakePeer();
    const gone = room.start({ pollTime: 15_000 }, peer);
    const next = room.start({ pollTime: 15_000 });
    room.room.store.autoFlush = false;
    room.send(["a"]);
    room.room.store.autoFlush = true;
    room.room.store.flush();
    peer.close();
    room.room.host.endTurn();
    assert.equal(gone.answer, undefined);
    assert.deepEqual(
      poppedOf(next.answer!).map(({ body }) => body),
      ["a"],
    );
  });

  it("begins with the oldest or the newest message", () => {
    const room = new PopRoom();
    room.room.store.inMemory = false;
    room.send(["a", "b", "c"], 0);
    assert.deepEqual(room.bodies({ initMode: 1, queueId: 0 }), ["c"]);
    assert.deepEqual(room.bodies({ initMode: 0, queueId: 0, consumerGroup: "other" }), ["a", "b", "c"]);
    room.room.store.inMemory = true;
    assert.deepEqual(room.bodies({ initMode: 1, queueId: 0, consumerGroup: "third" }), ["a", "b", "c"]);
  });

  it("waits for a message, and one message wakes one of a group", () => {
    const room = new PopRoom();
    const peer = new FakePeer();
    const first = room.start({ pollTime: 15_000 }, peer);
    const second = room.start({ pollTime: 15_000 }, peer);
    const other = room.start({ pollTime: 15_000, consumerGroup: "other" }, peer);
    room.send(["a"]);
    assert.deepEqual(
      poppedOf(first.answer!).map(({ body }) => body),
      ["a"],
    );
    assert.deepEqual(
      poppedOf(other.answer!).map(({ body }) => body),
      ["a"],
    );
    assert.equal(second.answer, undefined);
    room.advance(15_000);
    assert.equal(second.answer!.code, 210);
    assert.deepEqual([first.isLongPolling, second.isLongPolling], [true, true]);
    room.send(["b"]);
    const found = room.start({ pollTime: 15_000 });
    room.room.host.endTurn();
    assert.deepEqual([found.answer?.code, found.isLongPolling], [0, false]);
  });

  it("wakes the next when it leaves something over", () => {
    const room = new PopRoom();
    const first = room.start({ pollTime: 15_000, maxMsgNums: 1 });
    const second = room.start({ pollTime: 15_000, maxMsgNums: 1 });
    const third = room.start({ pollTime: 15_000, queueId: 1 });
    room.room.store.autoFlush = false;
    room.send(["a", "b"]);
    room.room.store.flush();
    room.room.host.endTurn();
    room.room.store.flush();
    room.room.host.endTurn();
    assert.deepEqual(
      [first, second].map(({ answer }) => answer?.code),
      [0, 0],
    );
    assert.equal(third.answer, undefined);
  });

  it("forgets who has gone, and answers who waits when the broker stops", () => {
    const room = new PopRoom();
    const peer = new FakePeer();
    const gone = room.start({ pollTime: 15_000 }, peer);
    const stays = room.start({ pollTime: 15_000 });
    peer.close();
    assert.equal(room.room.popping.pops.size, 1);
    room.room.popping.stopWaiting();
    assert.equal(gone.answer, undefined);
    assert.equal(stays.answer!.code, 210);
  });

  it("lets so many wait, of one group and of all", () => {
    const room = new PopRoom({ popPollingSize: 2, maxPopPollingSize: 3 });
    for (let i = 0; i < 2; i++) room.start({ pollTime: 15_000 });
    assert.equal(room.answer({ pollTime: 15_000 }).code, 209);
    room.start({ pollTime: 15_000, consumerGroup: "other" });
    assert.equal(room.answer({ pollTime: 15_000, consumerGroup: "third" }).code, 209);
  });

  it("is not misled by a client's clock", () => {
    const room = new PopRoom();
    const exchange = room.start({ pollTime: 15_000, bornTime: 1 });
    assert.equal(exchange.answer, undefined);
    room.send(["a"]);
    assert.equal(exchange.answer!.code, 0);
  });

  it("goes on where an administrator has set the offset, backward, too", () => {
    const room = new PopRoom();
    room.send(["a", "b", "c"]);
    assert.equal(room.bodies().length, 3);
    room.room.offsets.reset(GROUP, TOPIC, 0, 1, "admin");
    assert.deepEqual(room.bodies(), ["b", "c"]);
    room.room.offsets.commit(GROUP, TOPIC, 0, 2, "another");
    assert.deepEqual(room.bodies(), ["c"]);
    assert.equal(room.committed(), 3);
  });

  it("hears of it while it waits", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    room.pop();
    const waiting = room.start({ pollTime: 15_000 });
    const ext = { topic: TOPIC, group: GROUP, timestamp: 0, isForce: true, queueId: 0, offset: 1 };
    assert.equal(answerTo(room.room, invokeBrokerToResetOffset(room.room), { code: 222, ext }).code, 0);
    assert.deepEqual(
      poppedOf(waiting.answer!).map(({ body }) => body),
      ["b"],
    );
  });

  it("lets no late checkpoint undo what an administrator has set", () => {
    const room = new PopRoom();
    room.send(["a", "b", "c"]);
    room.room.store.autoFlush = false;
    room.start({ maxMsgNums: 2 });
    room.room.offsets.reset(GROUP, TOPIC, 0, 0, "admin");
    room.start({ maxMsgNums: 1 });
    room.room.store.flush();
    assert.equal(room.committed(), 1);
  });

  it("takes no more pops than there may be without acknowledgement", () => {
    const room = new PopRoom({ popCheckPointsMax: 1 });
    room.send(["a", "b"]);
    const popped = room.pop({ maxMsgNums: 1 })[0]!;
    assert.equal(room.answer({ maxMsgNums: 1 }).code, 2);
    assert.equal(room.ack(popped).code, 0);
    assert.deepEqual(room.bodies({ maxMsgNums: 1 }), ["b"]);
  });

  it("looks into the retry topic first in 20 of 100 cases, and last in the others", () => {
    for (const [share, expected] of [
      [100, "again"],
      [0, "new"],
    ] as const) {
      const room = new PopRoom({ popFromRetryProbability: share });
      room.send(["again"]);
      room.pop({ invisibleTime: 1_000 });
      room.advance(1_000);
      room.send(["new"]);
      assert.deepEqual(room.bodies({ maxMsgNums: 1 }), [expected]);
    }
  });

  it("refuses in RocketMQ's order", () => {
    const room = new PopRoom();
    const { topics, groups } = room.room;
    const code = (fields: Parameters<PopRoom["answer"]>[0]): number => room.answer(fields).code;
    assert.equal(code({ maxMsgNums: 33, topic: "none" }), 29);
    assert.equal(code({ maxMsgNums: 0 }), 29);
    assert.equal(code({ invisibleTime: -1 }), 29);
    assert.equal(code({ invisibleTime: 43_200_001 }), 29);
    assert.equal(code({ topic: "none" }), 17);
    topics.put(newTopicConfig("secret", { perm: 2 }));
    assert.equal(code({ topic: "secret" }), 16);
    assert.equal(code({ queueId: 2 }), 29);
    assert.equal(code({ consumerGroup: "no group" }), 26);
    groups.put({ ...newSubscriptionGroupConfig("off"), consumeEnable: false });
    assert.equal(code({ consumerGroup: "off" }), 16);
    assert.equal(new PopRoom({ brokerPermission: 2 }).answer({ maxMsgNums: 33 }).code, 16);
  });

  it("keeps nothing of queues of which everything is committed", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop();
    room.pop();
    assert.equal(room.room.popping.queues.size, 0);
  });
});

describe("a popped message that nobody acknowledges", () => {
  it("comes again when its time is over, from the retry topic, counting", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop({ invisibleTime: 5_000 });
    room.advance(4_999);
    assert.deepEqual(room.bodies(), []);
    room.advance(1);
    const again = room.pop()[0]!;
    assert.equal(again.body, "a");
    assert.equal(again.reconsumeTimes, 1);
    assert.match(again.handle, /^0 \d+ 60000 \d 1 broker-a 0 0$/);
    assert.equal(room.committed(RETRY_TOPIC), 1);
  });

  it("wakes who waits", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop({ invisibleTime: 5_000 });
    const waiting = room.start({ pollTime: 15_000 });
    room.advance(5_000);
    assert.deepEqual(
      poppedOf(waiting.answer!).map(({ body }) => body),
      ["a"],
    );
  });

  it("comes again as often as the group allows, then it is a dead letter", () => {
    const room = new PopRoom();
    room.room.groups.put({ ...newSubscriptionGroupConfig(GROUP), retryMaxTimes: 2 });
    room.send(["a"]);
    for (const times of [0, 1, 2]) {
      assert.deepEqual(
        room.pop({ invisibleTime: 1_000 }).map(({ reconsumeTimes }) => reconsumeTimes),
        [times],
      );
      room.advance(1_000);
    }
    assert.deepEqual(room.bodies(), []);
    const [dead] = room.room.store.queues.get("%DLQ%billing@0")!;
    assert.equal(dead!.body, "a");
    assert.equal(getProperty(dead!.message.properties, "RETRY_TOPIC"), TOPIC);
    assert.equal(room.room.stats.sentToDlq, 1);
    const retries = [...room.room.stats.counted.allPops()].map(([, topic, pops]) => [topic, pops.retries]);
    assert.deepEqual(retries, [
      [TOPIC, 1],
      [RETRY_TOPIC, 1],
    ]);
  });

  it("has the retry topic of the other name where that is chosen, and the old one is still read", () => {
    const room = new PopRoom({ enableRetryTopicV2: true });
    room.send(["a"]);
    room.pop({ invisibleTime: 1_000 });
    room.advance(1_000);
    assert.equal(room.room.topics.get("%RETRY%billing+orders")?.readQueueNums, 1);
    const seen = [room.pop(), room.pop()].flat();
    assert.match(seen[0]!.handle, / 2 broker-a 0 0$/);
  });

  it("comes again in no time when the wall clock leaps, and neither late when it steps back", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop({ invisibleTime: 5_000 });
    room.room.host.wallOffsetMs += 7_200_000;
    room.advance(4_999);
    assert.deepEqual(room.bodies(), []);
    room.room.host.wallOffsetMs -= 14_400_000;
    room.advance(1);
    assert.deepEqual(room.bodies(), ["a"]);
  });

  it("waits while the store takes no messages, and comes once", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    room.pop({ invisibleTime: 1_000 });
    room.room.store.refusal = { reason: "DISK_FULL", remark: "full" };
    room.advance(10_000);
    room.room.store.refusal = undefined;
    room.advance(1_000);
    assert.deepEqual(room.bodies().sort(), ["a", "b"]);
    room.advance(100_000);
    assert.equal(room.room.store.queues.get(`${RETRY_TOPIC}@0`)!.length, 4);
  });

  it("has its checkpoint done with afterwards, and the revive log need not be read again", () => {
    const room = new PopRoom();
    room.send(["a"]);
    room.pop({ invisibleTime: 1_000 });
    room.advance(3_000);
    assert.equal(room.room.popping.log.table.size, 0);
    assert.equal(room.committed("rmq_sys_REVIVE_LOG_DefaultCluster", 0, "CID_RMQ_SYS_REVIVE_GROUP"), 1);
  });
});

describe("NOTIFICATION, POLLING_INFO and PEEK_MESSAGE", () => {
  const ASKED = { consumerGroup: GROUP, topic: TOPIC, queueId: -1 };

  it("tell whether there is something, now or later", () => {
    const room = new PopRoom();
    const ask = (pollTime: number) =>
      room.ask(RequestCode.NOTIFICATION, { ...ASKED, pollTime, bornTime: 0 }).ext.get("hasMsg");
    assert.equal(ask(0), "false");
    room.send(["a"]);
    assert.equal(ask(0), "true");
    assert.equal(ask(15_000), "true");
    room.pop();
    assert.equal(ask(0), "false");
  });

  it("count who waits", () => {
    const room = new PopRoom();
    room.start({ pollTime: 15_000 });
    room.start({ pollTime: 15_000, queueId: 1 });
    const count = (queueId: number) =>
      room.ask(RequestCode.POLLING_INFO, { ...ASKED, queueId }).ext.get("pollingNum");
    assert.deepEqual([count(-1), count(0), count(1)], ["1", "0", "1"]);
  });

  it("show messages without taking them", () => {
    const room = new PopRoom();
    room.send(["a", "b"]);
    const peek = () => room.ask(RequestCode.PEEK_MESSAGE, { ...ASKED, maxMsgNums: 32 });
    assert.equal(peek().code, 0);
    assert.equal(peek().ext.get("restNum"), "2");
    assert.equal(room.pop().length, 2);
    assert.equal(peek().code, 19);
  });
});
