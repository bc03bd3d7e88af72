/** What administrators ask of a broker as a whole, and set there: 18, 43, 45, 305, 321, 328, 907, 5003, and what is refused in words. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeDeleteSubscriptionGroupListBody,
  encodeHeartbeatData,
  encodeTopicConfigList,
  newSubscriptionData,
  newTopicConfig,
  parseConsumeQueueView,
  parseHaStatus,
  parseProducerTable,
  parseTopicList,
} from "@orbitmq/wire";
import { requestHandlers } from "../request-handlers.ts";
import { answerTo, brokerRoom } from "../testing/broker-room.ts";
import type { FakeRequest } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";

type Ext = NonNullable<FakeRequest["ext"]>;

function roomWithOrders(tuning = {}) {
  const room = brokerRoom({ tuning });
  const handlers = requestHandlers(room);
  room.topics.put(newTopicConfig("orders", { readQueueNums: 2, writeQueueNums: 2 }));
  const ask = (code: number, ext: Ext = {}, more: Partial<FakeRequest> = {}) =>
    answerTo(room, handlers.get(code)!, { code, ext, ...more });
  return { room, ask };
}

describe("several topics at once", () => {
  it("are created and changed, also behind one that is as it was", () => {
    const { room, ask } = roomWithOrders();
    const before = room.topics.get("orders")!;
    const body = encodeTopicConfigList([
      before,
      newTopicConfig("new", { readQueueNums: 3, attributes: { "+message.type": "FIFO" } }),
    ]);
    assert.equal(ask(18, {}, { body }).code, 0);
    assert.deepEqual(room.topics.get("new"), {
      ...newTopicConfig("new", { readQueueNums: 3, attributes: { "message.type": "FIFO" } }),
    });
    const drop = encodeTopicConfigList([newTopicConfig("new", { attributes: { "-message.type": "" } })]);
    assert.equal(ask(18, {}, { body: drop }).code, 0);
    assert.deepEqual(room.topics.get("new")?.attributes, {});
  });

  it("are all refused when one of them may not be", () => {
    const { room, ask } = roomWithOrders({ topicsMax: 16 });
    for (const [topics, code] of [
      [["fine", "bad name"], 29],
      [["fine", "TBW102"], 29],
      [["a", "b", "c", "d"], 1],
    ] as const) {
      const body = encodeTopicConfigList(topics.map((topic) => newTopicConfig(topic)));
      assert.equal(ask(18, {}, { body }).code, code);
    }
    assert.equal(room.topics.get("fine") ?? room.topics.get("a"), undefined);
  });
});

describe("what a broker tells of itself", () => {
  it("names the system's topics", () => {
    const { topicList } = parseTopicList(roomWithOrders().ask(305).body);
    for (const topic of ["TBW102", "rmq_sys_wheel_timer", "broker-a", "DefaultCluster_REPLY_TOPIC"])
      assert.ok(topicList.includes(topic), topic);
    assert.ok(!topicList.includes("orders"));
  });

  it("names every producer that is online", () => {
    const { ask } = roomWithOrders();
    const peer = new FakePeer();
    const beat = { clientID: "c", consumerDataSet: [], heartbeatFingerprint: 0, withoutSub: false };
    ask(34, {}, { peer, body: encodeHeartbeatData({ ...beat, producerGroups: ["p", "q"] }) });
    const table = parseProducerTable(ask(328).body);
    assert.deepEqual([...table.keys()], ["p", "q"]);
    const [info] = table.get("p")!;
    const { clientId, remoteIP, language } = info!;
    assert.deepEqual([clientId, remoteIP, language], ["c", `/${peer.address}`, "JAVA"]);
  });

  it("is a master without slaves", () => {
    const { ask } = roomWithOrders();
    const status = parseHaStatus(ask(907).body);
    assert.deepEqual(status, {
      ...{ master: true, masterCommitLogMaxOffset: 0, inSyncSlaveNums: 0, haConnectionInfo: [] },
    });
  });

  it("tells all offsets as its files have them", () => {
    const { room, ask } = roomWithOrders();
    ask(310, { a: "p", b: "orders", c: "TBW102", d: 2, e: 0, f: 0, g: 1, h: 0 }, { body: "x" });
    room.offsets.commit("group", "orders", 0, 1, "test");
    assert.match(ask(43).body.toString(), /"orders@group":\{\s*0:1\s*\}/);
    assert.match(ask(45).body.toString(), /"offsetTable":\{\}/);
  });
});

describe("units of a queue", () => {
  it("are told from an index on, with what a group wants", () => {
    const { room, ask } = roomWithOrders();
    room.store.realRecords = true;
    for (const body of ["one", "two", "three"]) {
      const ext = { a: "p", b: "orders", c: "TBW102", d: 2, e: 0, f: 0, g: 1, h: 0, i: "TAGS\u0001a\u0002" };
      assert.equal(ask(310, ext, { body }).code, 0);
    }
    const query = { topic: "orders", queueId: 0, index: 1, count: 10 };
    const view = parseConsumeQueueView(ask(321, query).body);
    assert.deepEqual([view.minQueueIndex, view.maxQueueIndex, view.filterData], [0, 3, undefined]);
    assert.deepEqual(
      view.queueData!.map(({ physicOffset, tagsCode }) => [physicOffset, tagsCode]),
      [room.store.appended[1]!, room.store.appended[2]!].map((each) => [each.physicalOffset, 97]),
    );
    assert.equal(parseConsumeQueueView(ask(321, { ...query, count: 1 }).body).queueData?.length, 1);
    const of = (consumerGroup: string) => parseConsumeQueueView(ask(321, { ...query, consumerGroup }).body);
    assert.equal(of("nobody").filterData, "nobody@orders is not online!");
    const consumer = {
      ...{ groupName: "group", consumeType: "CONSUME_PASSIVELY", messageModel: "CLUSTERING" },
      ...{ consumeFromWhere: "CONSUME_FROM_LAST_OFFSET", unitMode: false },
      subscriptionDataSet: [newSubscriptionData("orders", "a", 7)],
    };
    const beat = { clientID: "c", producerGroups: [], heartbeatFingerprint: 0, withoutSub: false };
    ask(34, {}, { body: encodeHeartbeatData({ ...beat, consumerDataSet: [consumer] }) });
    assert.equal(of("group").subscriptionData?.subString, "a");
    assert.equal(room.store.released, room.store.gets);
  });

  it("that are not there are said: 1 for the queue, a remark for the index", () => {
    const { ask } = roomWithOrders();
    ask(310, { a: "p", b: "orders", c: "TBW102", d: 2, e: 0, f: 0, g: 1, h: 0 }, { body: "x" });
    const missing = ask(321, { topic: "orders", queueId: 1, index: 0, count: 1 });
    assert.deepEqual([missing.code, missing.remark], [1, "1@orders is not exist!"]);
    const beyond = ask(321, { topic: "orders", queueId: 0, index: 7, count: 1 });
    assert.deepEqual([beyond.code, beyond.remark], [0, "Index 7 of 0@orders is not exist!"]);
    assert.equal(parseConsumeQueueView(beyond.body).queueData, undefined);
  });
});

it("several groups are forgotten at once, with their offsets if wanted", () => {
  const { room, ask } = roomWithOrders();
  ask(310, { a: "p", b: "orders", c: "TBW102", d: 2, e: 0, f: 0, g: 1, h: 0 }, { body: "x" });
  for (const group of ["a", "b", "c"]) {
    room.groups.find(group);
    room.offsets.commit(group, "orders", 0, 1, "test");
  }
  const forget = (groupNameList: string[], cleanOffset: boolean) =>
    ask(5003, {}, { body: encodeDeleteSubscriptionGroupListBody({ groupNameList, cleanOffset }) }).code;
  assert.equal(forget(["a", "b"], true), 0);
  assert.equal(forget(["c"], false), 0);
  assert.equal(forget([], true), 29);
  assert.deepEqual(
    ["a", "b", "c"].map((group) => [room.groups.get(group), room.offsets.get(group, "orders", 0)]),
    [
      [undefined, undefined],
      [undefined, undefined],
      [undefined, 1],
    ],
  );
});

it("how far timers are is told as timercheck has it; 1 where there is none", () => {
  const room = brokerRoom();
  for (const [length, code] of [
    [60, 0],
    [7, 1],
  ] as const) {
    const files = { readWholeSync: () => new Uint8Array(length).fill(7) };
    const handlers = requestHandlers({ ...room, files: files as never, storePath: "/store/config" });
    const answer = answerTo(room, handlers.get(60)!, { code: 60 });
    assert.deepEqual([answer.code, answer.body.length], [code, code === 0 ? 56 : 0]);
  }
  assert.equal(answerTo(room, requestHandlers(room).get(60)!, { code: 60 }).code, 1);
});

it("what is not here is refused with the reason", () => {
  const { ask } = roomWithOrders();
  for (const code of [61, 354, 513, 902, 908, 1007, 2003, 3005, 5001, 200056, 200074]) {
    const { code: answered, remark } = ask(code);
    assert.equal(answered, 3);
    assert.match(remark ?? "", /^not supported: \w+/);
  }
});
