/** What reaches out to consumers: 222 with 220, 223 with 221, 307, 309; and 46, which they ask themselves. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  encodeHeartbeatData,
  encodeOffsetMessageId,
  LanguageCode,
  newSubscriptionData,
  newTopicConfig,
  parseResetOffsetBody,
  readRecord,
} from "@orbitmq/wire";
import { requestHandlers } from "../request-handlers.ts";
import { answerTo, type BrokerRoom, brokerRoom, type RoomOptions } from "../testing/broker-room.ts";
import { type Answer, call, type FakeExchange, type FakeRequest } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";

type Ext = NonNullable<FakeRequest["ext"]>;

class Room {
  readonly room: BrokerRoom;
  readonly handlers: ReturnType<typeof requestHandlers>;

  constructor(options: RoomOptions = {}) {
    this.room = brokerRoom(options);
    this.handlers = requestHandlers(this.room);
    this.room.topics.put(newTopicConfig("orders", { readQueueNums: 2, writeQueueNums: 2 }));
  }

  ask(code: number, ext: Ext = {}, more: Partial<FakeRequest> = {}): Answer {
    return answerTo(this.room, this.handlers.get(code)!, { code, ext, ...more });
  }

  fill(count: number): void {
    const ext = { a: "p", b: "orders", c: "TBW102", d: 2, e: 0, f: 0, g: 1, h: 0 };
    for (let i = 0; i < count; i++) assert.equal(this.ask(310, ext, { body: `m${i}` }).code, 0);
  }

  online(clientID: string): FakePeer {
    const peer = new FakePeer();
    const consumer = {
      groupName: "group",
      consumeType: "CONSUME_PASSIVELY",
      messageModel: "CLUSTERING",
      consumeFromWhere: "CONSUME_FROM_LAST_OFFSET",
      subscriptionDataSet: [newSubscriptionData("orders", "*", 7)],
      unitMode: false,
    };
    const heartbeat = {
      clientID,
      producerGroups: [],
      consumerDataSet: [consumer],
      heartbeatFingerprint: 0,
      withoutSub: false,
    };
    assert.equal(this.ask(34, {}, { peer, body: encodeHeartbeatData(heartbeat) }).code, 0);
    peer.oneways.length = 0;
    return peer;
  }

  reset(ext: Ext): { code: number; offsets: number[] } {
    const answer = this.ask(222, { topic: "orders", group: "group", timestamp: -1, isForce: true, ...ext });
    return {
      code: answer.code,
      offsets: answer.code === 0 ? [...parseResetOffsetBody(answer.body).values()] : [],
    };
  }

  pullRequest(peer: FakePeer, queueOffset: number, suspend = false): FakeRequest {
    const ext = {
      consumerGroup: "group",
      topic: "orders",
      queueId: 0,
      queueOffset,
      maxMsgNums: 32,
      sysFlag: suspend ? 3 : 1,
      commitOffset: queueOffset,
      suspendTimeoutMillis: 15_000,
      subVersion: 7,
    };
    return { code: 11, ext, peer };
  }

  pull(peer: FakePeer, queueOffset: number): Answer {
    return answerTo(this.room, this.handlers.get(11)!, this.pullRequest(peer, queueOffset));
  }

  get committed(): number | undefined {
    return this.room.offsets.get("group", "orders", 0);
  }
}

describe("offsets reset by the broker", () => {
  it("are told to the next pull, once; until then nothing a member commits counts", () => {
    const at = new Room();
    at.fill(5);
    const peer = at.online("a");
    at.room.offsets.commit("group", "orders", 0, 5, "test");
    assert.deepEqual(at.reset({ timestamp: 0 }), { code: 0, offsets: [0, 0] });
    assert.equal(at.committed, 0);
    at.ask(15, { consumerGroup: "group", topic: "orders", queueId: 0, commitOffset: 5 });
    assert.equal(at.committed, 0, "the old offset of a member that does not know yet");
    const moved = at.pull(peer, 5);
    assert.deepEqual([moved.code, moved.ext.get("nextBeginOffset")], [21, "0"]);
    assert.equal(at.committed, 0);
    assert.equal(at.pull(peer, 0).code, 0);
    at.ask(15, { consumerGroup: "group", topic: "orders", queueId: 0, commitOffset: 3 });
    assert.equal(at.committed, 3);
  });

  it("wake the group's pulls that wait, and nobody else's", () => {
    const at = new Room();
    at.fill(2);
    const peer = at.online("a");
    const waiting: FakeExchange = call(at.handlers.get(11)!, at.pullRequest(peer, 2, true));
    const other = at.pullRequest(peer, 2, true);
    const others = call(at.handlers.get(11)!, {
      ...other,
      ext: { ...other.ext, consumerGroup: "other", sysFlag: 6, subscription: "*" },
    });
    at.room.host.endTurn();
    assert.equal(at.room.longPoll.size, 2);
    at.reset({ queueId: 0, offset: 1 });
    at.room.host.endTurn();
    assert.deepEqual([waiting.answer?.code, waiting.answer?.ext.get("nextBeginOffset")], [21, "1"]);
    assert.equal(others.answer, undefined);
  });

  it("can be the end, a time, or one queue's offset, for groups that are offline, too", () => {
    const at = new Room();
    at.fill(4);
    at.room.groups.find("group");
    assert.deepEqual(at.reset({}).offsets, [4, 0]);
    assert.deepEqual(at.reset({ timestamp: 1_700_000_000_001 }).offsets, [4, 0]);
    assert.deepEqual(at.reset({ queueId: 0, offset: 2 }).offsets, [2]);
    assert.equal(at.committed, 2);
    assert.deepEqual(at.reset({ queueId: 0, offset: 5 }).offsets, [4], "one past the end is the end");
    assert.deepEqual(at.reset({ queueId: 0, offset: -1, timestamp: 0 }).offsets, [0]);
  });

  it("are refused for what there is not", () => {
    const at = new Room();
    at.fill(1);
    assert.equal(at.reset({}).code, 26);
    at.room.groups.find("group");
    assert.equal(at.reset({ topic: "unknown" }).code, 17);
    assert.equal(at.reset({ queueId: 2 }).code, 29);
    assert.equal(at.reset({ queueId: 0, offset: 3 }).code, 1);
    assert.equal(at.reset({ queueId: 0, offset: -5 }).code, 1);
  });
});

describe("offsets reset by the members", () => {
  const tuning = { useServerSideResetOffset: false };

  it("are told to all of them, backward or by force", () => {
    const at = new Room({ tuning });
    at.fill(4);
    const [java, cpp] = [at.online("a"), at.online("b")];
    cpp.language = LanguageCode.CPP;
    java.oneways.length = 0;
    for (const queueId of [0, 1]) at.room.offsets.commit("group", "orders", queueId, 2, "test");
    assert.deepEqual(at.reset({ isForce: false }).offsets, [2, 0]);
    assert.deepEqual(at.reset({ isForce: true }).offsets, [4, 0]);
    assert.equal(at.committed, 2, "the members do it");
    const told = java.oneways.filter(({ code }) => code === 220);
    assert.equal(told.length, 2);
    assert.deepEqual([...parseResetOffsetBody(told[1]!.body).values()], [4, 0]);
    const list = JSON.parse(cpp.oneways.at(-1)!.body.toString()) as { offsetTable: object[] };
    assert.deepEqual(list.offsetTable[0], { brokerName: "broker-a", offset: 4, queueId: 0, topic: "orders" });
  });

  it("need members, 206, and offsets, 1", () => {
    const at = new Room({ tuning });
    at.fill(1);
    assert.equal(at.reset({}).code, 1);
    for (const queueId of [0, 1]) at.room.offsets.commit("group", "orders", queueId, 0, "test");
    assert.equal(at.reset({}).code, 206);
  });
});

describe("questions passed on to consumers", () => {
  const running = { consumerGroup: "group", clientId: "a", jstackEnable: false };

  it("come back with the consumer's own answer", () => {
    const at = new Room();
    const peer = at.online("a");
    peer.answers = () => ({ code: 0, remark: "not set any response code", ext: { x: "1" }, body: "{}" });
    const answer = at.ask(307, running);
    assert.deepEqual(
      [answer.code, answer.remark, answer.ext.get("x"), answer.body.toString()],
      [0, "not set any response code", "1", "{}"],
    );
    assert.deepEqual(Object.fromEntries(peer.requests[0]!.ext), {
      consumerGroup: "group",
      clientId: "a",
      jstackEnable: "false",
    });
  });

  it("end with 207 when it does not answer, with 1 when it is not there or too old", () => {
    const at = new Room();
    assert.equal(at.ask(307, running).code, 1);
    const peer = at.online("a");
    assert.equal(at.ask(307, running).code, 207);
    peer.answers = () => "CONNECTION_CLOSED";
    assert.equal(at.ask(307, running).code, 1);
    peer.version = 61;
    assert.match(at.ask(307, running).remark ?? "", /too low/);
    assert.equal(peer.requests.length, 2);
  });

  it("can be a message to consume at once", () => {
    const at = new Room();
    at.fill(1);
    const peer = at.online("a");
    peer.answers = () => ({ code: 0, body: '{"consumeResult":"CR_SUCCESS"}' });
    const msgId = encodeOffsetMessageId(at.room.identity.storeHost, 0);
    const ask = (ext: Ext) => at.ask(309, { consumerGroup: "group", clientId: "a", topic: "orders", ...ext });
    assert.equal(ask({ msgId }).body.toString(), '{"consumeResult":"CR_SUCCESS"}');
    const sent = peer.requests[0]!;
    assert.equal(Buffer.from(readRecord(sent.body).body).toString(), "m0");
    assert.deepEqual(
      [sent.ext.get("brokerName"), sent.ext.get("topicSysFlag"), sent.ext.get("groupSysFlag")],
      ["broker-a", "0", "0"],
    );
    assert.match(
      ask({ msgId: encodeOffsetMessageId(at.room.identity.storeHost, 7) }).remark ?? "",
      /no message/,
    );
    assert.equal(ask({ msgId: "x" }).code, 1);
    assert.equal(ask({}).code, 1);
    assert.equal(peer.requests.length, 1);
  });

  it("can be how far each has consumed; who does not answer is left out", () => {
    const at = new Room();
    const status = { topic: "orders", group: "group" };
    assert.equal(at.ask(223, status).code, 1);
    const [first, second] = [at.online("a"), at.online("b")];
    const queue = '{"brokerName":"broker-a","queueId":0,"topic":"orders"}';
    first.answers = () => ({ code: 0, body: `{"consumerTable":{},"messageQueueTable":{${queue}:6}}` });
    const told = (ext: Ext = {}) => at.ask(223, { ...status, ...ext }).body.toString();
    assert.equal(told(), `{"consumerTable":{"a":{${queue}:6}},"messageQueueTable":{}}`);
    second.answers = () => ({ code: 0, body: "no json" });
    assert.equal(told(), `{"consumerTable":{"a":{${queue}:6}},"messageQueueTable":{}}`);
    assert.equal(told({ clientAddr: "b" }), '{"consumerTable":{},"messageQueueTable":{}}');
    assert.equal(first.requests.length, 2);
  });
});

describe("check-client-config", () => {
  const body = (expressionType: string) =>
    JSON.stringify({ clientId: "a", group: "group", subscriptionData: { topic: "orders", expressionType } });

  it("takes what this broker can filter by", () => {
    const at = new Room();
    assert.equal(at.ask(46, {}, { body: body("TAG") }).code, 0);
    assert.equal(at.ask(46, {}, { body: "{}" }).code, 0);
    assert.equal(at.ask(46, {}, { body: body("XPATH") }).code, 23);
    assert.equal(at.ask(46, {}, { body: "x" }).code, 1);
  });
});
