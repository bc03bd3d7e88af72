/** What is asked about groups and set for them by administrators: 32, 201, 203, 204, 207, 208, 225, 300, 303, 314, 315, 317, 343, 345, 353. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeHeartbeatData,
  newSubscriptionData,
  newTopicConfig,
  parseConsumerConnection,
  parseConsumeStats,
  parseGroupList,
  parseProducerConnection,
} from "@orbitmq/wire";
import { newSubscriptionGroupConfig } from "../consumer-groups/subscription-group-config.ts";
import { requestHandlers } from "../request-handlers.ts";
import { answerTo, type BrokerRoom, brokerRoom, type RoomOptions } from "../testing/broker-room.ts";
import type { Answer, FakeRequest } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";

type Ext = NonNullable<FakeRequest["ext"]>;

class Room {
  readonly room: BrokerRoom;
  readonly #handlers: ReturnType<typeof requestHandlers>;

  constructor(options: RoomOptions = {}) {
    this.room = brokerRoom(options);
    this.#handlers = requestHandlers(this.room);
    this.room.topics.put(newTopicConfig("orders", { readQueueNums: 2, writeQueueNums: 2 }));
  }

  ask(code: number, ext: Ext = {}, more: Partial<FakeRequest> = {}): Answer {
    return answerTo(this.room, this.#handlers.get(code)!, { code, ext, ...more });
  }

  json(code: number, ext: Ext = {}): unknown {
    const answer = this.ask(code, ext);
    assert.equal(answer.code, 0, answer.remark);
    return JSON.parse(answer.body.toString());
  }

  send(body: string, queueId = 0, topic = "orders"): void {
    const ext = { a: "p", b: topic, c: "TBW102", d: 2, e: queueId, f: 0, g: 1, h: 0 };
    assert.equal(this.ask(310, ext, { body }).code, 0);
  }

  /** A client that produces in `producers` and consumes `orders` in `group`. */
  online(clientID: string, group = "group", expression = "a || b"): FakePeer {
    const peer = new FakePeer();
    const consumer = {
      groupName: group,
      consumeType: "CONSUME_PASSIVELY",
      messageModel: "CLUSTERING",
      consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
      subscriptionDataSet: [newSubscriptionData("orders", expression, 7)],
      unitMode: false,
    };
    const heartbeat = {
      clientID,
      producerGroups: ["producers"],
      consumerDataSet: [consumer],
      heartbeatFingerprint: 0,
      withoutSub: false,
    };
    assert.equal(this.ask(34, {}, { peer, body: encodeHeartbeatData(heartbeat) }).code, 0);
    return peer;
  }

  commit(group: string, queueId: number, offset: number, topic = "orders"): void {
    this.room.groups.find(group);
    this.room.offsets.commit(group, topic, queueId, offset, "test");
  }
}

describe("who is online", () => {
  it("is told of consumers with what they subscribe to; 206 when nobody is", () => {
    const at = new Room();
    assert.equal(at.ask(203, { consumerGroup: "group" }).code, 206);
    const [first, second] = [at.online("a"), at.online("b")];
    const told = parseConsumerConnection(at.ask(203, { consumerGroup: "group" }).body);
    assert.deepEqual(
      told.connections.map(({ clientId, clientAddr, language, version }) => [
        clientId,
        clientAddr,
        language,
        version,
      ]),
      [
        ["a", first.address, "JAVA", 513],
        ["b", second.address, "JAVA", 513],
      ],
    );
    assert.deepEqual(
      [told.consumeType, told.messageModel, told.consumeFromWhere],
      ["CONSUME_PASSIVELY", "CLUSTERING", "CONSUME_FROM_LAST_OFFSET"],
    );
    assert.deepEqual([...told.subscriptions.get("orders")!.tagsSet], ["a", "b"]);
  });

  it("is told of producers; 1 when nobody is", () => {
    const at = new Room();
    assert.match(at.ask(204, { producerGroup: "producers" }).remark ?? "", /\[producers\] not exist/);
    at.online("a");
    const told = parseProducerConnection(at.ask(204, { producerGroup: "producers" }).body);
    assert.deepEqual(
      told.map(({ clientId }) => clientId),
      ["a"],
    );
  });

  it("is told by topic and by group", () => {
    const at = new Room();
    at.online("a");
    at.send("x");
    at.commit("offline", 0, 1);
    assert.deepEqual(parseGroupList(at.ask(300, { topic: "orders" }).body).sort(), ["group", "offline"]);
    assert.deepEqual(at.json(343, { group: "offline" }), {
      brokerAddr: "10.0.0.1:10911",
      topicList: ["orders"],
    });
    const subscription = at.json(345, { group: "group", topic: "orders" }) as { subscriptionData: object };
    assert.equal((subscription.subscriptionData as { subString: string }).subString, "a || b");
    assert.deepEqual(at.json(345, { group: "offline", topic: "orders" }), {
      group: "offline",
      topic: "orders",
    });
  });
});

describe("how far a group is", () => {
  it("is told per queue, for the topics it has offsets of or those asked for", () => {
    const at = new Room();
    at.room.topics.put(newTopicConfig("other", { readQueueNums: 1, writeQueueNums: 1 }));
    for (const body of ["x", "y", "z"]) at.send(body);
    at.send("o", 0, "other");
    at.commit("group", 0, 2);
    at.commit("group", 0, 1, "other");
    const offsets = (ext: Ext) => {
      const { offsets: found } = parseConsumeStats(at.ask(208, { consumerGroup: "group", ...ext }).body);
      return found.map(({ queue, brokerOffset, consumerOffset, pullOffset, lastTimestamp }) =>
        [queue.topic, queue.queueId, brokerOffset, consumerOffset, pullOffset, lastTimestamp > 0].join(" "),
      );
    };
    const orders = ["orders 0 3 2 2 true", "orders 1 0 0 0 false"];
    assert.deepEqual(offsets({}), [...orders, "other 0 1 1 1 true"]);
    assert.deepEqual(offsets({ topic: "orders" }), orders);
    assert.deepEqual(offsets({ topicList: "other;unknown;other" }), ["other 0 1 1 1 true"]);
    at.online("a");
    assert.deepEqual(offsets({}), orders, "it does not subscribe to the other any more");
    assert.deepEqual(offsets({ topicList: "other" }), ["other 0 1 1 1 true"]);
    assert.deepEqual(offsets({ consumerGroup: "nobody" }), []);
  });

  it("is told of all groups at once, with what is left to consume", () => {
    const at = new Room();
    for (const body of ["x", "y", "z"]) at.send(body);
    at.commit("group", 0, 1);
    at.commit("offline", 0, 3);
    const text = at.ask(317, { isOrder: false }).body.toString();
    assert.match(text, /^\{"brokerAddr":"10.0.0.1:10911","consumeStatsList":\[/);
    assert.match(text, /"totalDiff":2,"totalInflightDiff":0\}$/);
    assert.match(text, /\{"group":\[\{"consumeTps":0,"offsetTable":\{\{"brokerName":"broker-a","queueId":0,/);
    assert.match(at.ask(317, { isOrder: true }).body.toString(), /"totalDiff":0/);
  });

  it("is told in time", () => {
    const at = new Room();
    at.room.store.nowMs = () => 1_699_999_990_000;
    at.send("x");
    at.send("y");
    at.commit("group", 0, 1);
    const told = at.json(303, { topic: "orders", group: "group" }) as { consumeTimeSpanSet: object[] };
    const queue = (queueId: number) => ({ topic: "orders", brokerName: "broker-a", queueId });
    assert.deepEqual(told.consumeTimeSpanSet, [
      {
        messageQueue: queue(0),
        minTimeStamp: 1_700_000_000_000,
        maxTimeStamp: 1_700_000_000_000,
        consumeTimeStamp: 1_700_000_000_000,
        delayTime: 1_000,
      },
      { messageQueue: queue(1), minTimeStamp: -1, maxTimeStamp: -1, consumeTimeStamp: -1, delayTime: 0 },
    ]);
    assert.equal(at.ask(303, { topic: "unknown", group: "group" }).code, 17);
    assert.equal(at.ask(32, { topic: "orders", queueId: 0 }).ext.get("timestamp"), "1700000000000");
    assert.equal(at.ask(32, { topic: "orders", queueId: 1 }).ext.get("timestamp"), "-1");
  });

  it("is counted by RocketMQ's names", () => {
    const at = new Room();
    at.send("hello");
    const stats = at.json(315, { statsName: "TOPIC_PUT_NUMS", statsKey: "orders" }) as {
      statsMinute: { sum: number };
    };
    assert.equal(stats.statsMinute.sum, 1);
    assert.match(at.ask(315, { statsName: "X", statsKey: "y" }).remark ?? "", /<X> <y> not exist/);
    const pull = {
      consumerGroup: "group",
      topic: "orders",
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 8,
      sysFlag: 4,
    };
    const fields = { ...pull, commitOffset: 0, suspendTimeoutMillis: 0, subscription: "*", subVersion: 1 };
    assert.equal(at.ask(11, fields).code, 0);
    assert.equal(at.ask(315, { statsName: "GROUP_GET_NUMS", statsKey: "orders@group" }).code, 0);
    at.room.host.advance(1_000);
    at.commit("group", 0, 1);
    assert.equal(parseConsumeStats(at.ask(208, { consumerGroup: "group" }).body).consumeTps, 1);
  });
});

describe("groups", () => {
  it("are listed, all at once or in pages", () => {
    const at = new Room();
    at.room.groups.find("group");
    const all = at.ask(201);
    const { subscriptionGroupTable } = JSON.parse(all.body.toString()) as { subscriptionGroupTable: object };
    assert.equal(Object.keys(subscriptionGroupTable).length, 9);
    assert.equal(all.ext.get("totalGroupNum"), "9");
    const names: string[] = [];
    let dataVersion = "";
    for (let groupSeq = 0; groupSeq < 9; groupSeq += 4) {
      const page = JSON.parse(at.ask(201, { groupSeq, maxGroupNum: 4, dataVersion }).body.toString()) as {
        subscriptionGroupTable: object;
        dataVersion: object;
      };
      names.push(...Object.keys(page.subscriptionGroupTable));
      dataVersion = JSON.stringify(page.dataVersion);
    }
    assert.deepEqual(names, Object.keys(subscriptionGroupTable).sort());
  });

  it("are made many at once, or none of them", () => {
    const at = new Room({ tuning: { groupsMax: 11 } });
    const make = (...groups: object[]) =>
      at.ask(225, {}, { body: JSON.stringify({ groupConfigList: groups }) }).code;
    assert.equal(make({ groupName: "one" }, { groupName: "bad name" }), 29);
    assert.equal(at.room.groups.get("one"), undefined);
    assert.equal(make({ groupName: "one", retryMaxTimes: 3 }, { groupName: "two" }), 0);
    assert.equal(at.room.groups.get("one")?.retryMaxTimes, 3);
    assert.equal(make({ groupName: "three" }, { groupName: "four" }), 1);
    assert.equal(make({ groupName: "three" }, { groupName: "two" }), 0);
    assert.equal(at.ask(225, {}, { body: "[]" }).code, 1);
  });

  it("are deleted, with their offsets if wanted", () => {
    const at = new Room();
    at.send("x");
    at.commit("group", 0, 1);
    at.room.groups.forbidReading("group", "orders", true);
    assert.equal(at.ask(207, { groupName: "group", cleanOffset: false }).code, 0);
    assert.equal(at.room.groups.get("group"), undefined);
    assert.equal(at.room.groups.groups.isReadForbidden("group", "orders"), false);
    assert.equal(at.room.offsets.get("group", "orders", 0), 1);
    assert.equal(at.ask(207, { groupName: "group", cleanOffset: true }).code, 0);
    assert.equal(at.room.offsets.get("group", "orders", 0), undefined);
    assert.equal(at.ask(207, { groupName: "unknown" }).code, 0);
    at.commit("old", 0, 1);
    assert.equal(at.ask(207, { groupName: "old", removeOffset: true }).code, 0, "as clients of 4.x say it");
    assert.equal(at.room.offsets.get("old", "orders", 0), undefined);
  });

  it("are forbidden to read a topic, and allowed again", () => {
    const at = new Room();
    const told = (ext: Ext) => at.json(353, { group: "group", topic: "orders", ...ext });
    assert.deepEqual(told({}), { group: "group", topic: "orders", readable: true });
    assert.deepEqual(told({ readable: false }), { group: "group", topic: "orders", readable: false });
    const { version, ...pull } = {
      version: 513,
      consumerGroup: "group",
      topic: "orders",
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 8,
      sysFlag: 0,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subVersion: 1,
    };
    const peer = at.online("a");
    const refused = at.ask(11, pull, { peer, version });
    assert.deepEqual([refused.code, refused.ext.get("forbiddenType")], [16, "5"]);
    assert.deepEqual(told({ readable: true }), { group: "group", topic: "orders", readable: true });
    assert.equal(at.ask(11, pull, { peer, version }).code, 19);
    assert.equal(at.ask(353, { group: "group", topic: "unknown", readable: false }).code, 17);
    assert.equal(at.ask(353, { group: "bad name", topic: "orders", readable: false }).code, 26);
  });

  it("take over each other's offsets", () => {
    const at = new Room();
    at.room.topics.put(newTopicConfig("other", { readQueueNums: 1, writeQueueNums: 1 }));
    at.send("x");
    at.send("x", 1);
    at.send("o", 0, "other");
    at.commit("from", 0, 1);
    at.commit("from", 1, 1);
    at.commit("from", 0, 1, "other");
    assert.equal(at.ask(314, { srcGroup: "from", destGroup: "to", topic: "other", offline: true }).code, 0);
    assert.deepEqual(at.room.offsets.offsets.topicsOf("to"), ["other"]);
    at.online("a", "from");
    assert.equal(at.ask(314, { srcGroup: "from", destGroup: "third", offline: false }).code, 0);
    assert.deepEqual(at.room.offsets.offsets.topicsOf("third"), ["orders"], "it is online for this one only");
    assert.deepEqual(Object.fromEntries(at.room.offsets.offsets.queuesOf("third", "orders")), { 0: 1, 1: 1 });
    assert.equal(at.ask(314, { srcGroup: "from", destGroup: "bad name", offline: true }).code, 26);
    assert.equal(at.ask(314, { srcGroup: "nobody", destGroup: "to", offline: true }).code, 0);
  });

  it("keep what they are forbidden in their file", () => {
    const at = new Room();
    at.room.groups.put(newSubscriptionGroupConfig("group"));
    at.room.groups.forbidReading("group", "orders", true);
    assert.match(at.room.groups.groups.format(), /"forbiddenTable":\{\s*"group":\{\s*"orders":4\s*\}/);
    at.room.groups.forbidReading("group", "orders", false);
    assert.match(at.room.groups.groups.format(), /"forbiddenTable":\{\}/);
  });
});
