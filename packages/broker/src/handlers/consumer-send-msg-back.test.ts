import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeOffsetMessageId, newTopicConfig, Perm, parseProperties, RequestCode } from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { newSubscriptionGroupConfig } from "../consumer-groups/subscription-group-config.ts";
import { answerTo, type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { call, type FakeRequest } from "../testing/fake-exchange.ts";
import { SimBroker } from "../testing/sim-broker.ts";
import { consumerSendMsgBack } from "./consumer-send-msg-back.ts";
import { sendMessage } from "./send-message.ts";

type Fields = Readonly<Record<string, string | number | boolean>>;

/** A room with one message, at offset 0 of the log. */
function room(tuning: Partial<BrokerTuning> = {}): BrokerRoom {
  const made = brokerRoom({ tuning });
  made.topics.put(newTopicConfig("orders", { readQueueNums: 1, writeQueueNums: 1 }));
  send(made, { topic: "orders", properties: "TAGS\u0001a\u0002UNIQ_KEY\u0001K\u0002" });
  return made;
}

function send(at: BrokerRoom, fields: Fields, version?: number) {
  const ext = {
    producerGroup: "p",
    defaultTopic: "TBW102",
    defaultTopicQueueNums: 1,
    queueId: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    flag: 0,
    ...fields,
  };
  const request: FakeRequest = { code: RequestCode.SEND_MESSAGE, ext, body: "hello" };
  return answerTo(at, sendMessage(at), version === undefined ? request : { ...request, version });
}

function back(at: BrokerRoom, fields: Fields = {}, version = 513) {
  const ext = { offset: 0, group: "group", delayLevel: 0, ...fields };
  return answerTo(at, consumerSendMsgBack(at), { code: RequestCode.CONSUMER_SEND_MSG_BACK, ext, version });
}

function last(at: BrokerRoom) {
  const { message } = at.store.appended.at(-1)!;
  return { message, properties: Object.fromEntries(parseProperties(message.properties)) };
}

describe("consumer-send-msg-back", () => {
  it("stores the message for the group's retry topic, delayed", () => {
    const at = room();
    assert.equal(back(at).code, 0);
    const { message, properties } = last(at);
    assert.deepEqual([message.topic, message.queueId, message.reconsumeTimes], ["SCHEDULE_TOPIC_XXXX", 2, 1]);
    assert.deepEqual(
      [properties["REAL_TOPIC"], properties["REAL_QID"], properties["RETRY_TOPIC"], properties["TAGS"]],
      ["%RETRY%group", "0", "orders", "a"],
    );
    const topic = at.topics.get("%RETRY%group")!;
    assert.deepEqual([topic.readQueueNums, topic.writeQueueNums, topic.perm], [1, 1, 6]);
    assert.deepEqual([at.stats.sentBack, at.stats.sentToDlq], [1, 0]);
  });

  it("is answered only when the message is on disk", () => {
    const at = room();
    at.store.autoFlush = false;
    const ext = { offset: 0, group: "group", delayLevel: -1 };
    const exchange = call(consumerSendMsgBack(at), { code: 36, ext });
    at.host.endTurn();
    assert.equal(exchange.isAnswered, false);
    at.store.timeOut();
    assert.equal(exchange.answer?.code, 10);
    const failing = call(consumerSendMsgBack(at), { code: 36, ext });
    at.host.endTurn();
    at.store.fail();
    assert.equal(failing.answer?.code, 14);
    assert.equal(failing.answer?.ext.get("outcome"), "unknown");
  });

  it("makes the dead-letter topic with one queue, readable and writable", () => {
    const at = room();
    assert.equal(back(at, { delayLevel: -1, unitMode: true }).code, 0);
    const { message, properties } = last(at);
    assert.deepEqual([message.topic, message.queueId, properties["DELAY"]], ["%DLQ%group", 0, "0"]);
    const topic = at.topics.get("%DLQ%group")!;
    assert.deepEqual([topic.readQueueNums, topic.writeQueueNums, topic.perm], [1, 1, 6]);
    assert.equal(at.topics.get("%RETRY%group")!.topicSysFlag, 2);
    assert.equal(at.stats.sentToDlq, 1);
  });

  it("minds the consumer's limit, the group's else; clients before 3.4.9 have none of their own", () => {
    const at = room();
    at.groups.put({ ...newSubscriptionGroupConfig("group"), retryMaxTimes: 0, retryQueueNums: 3 });
    const topicAfter = (fields: Fields, version?: number) => {
      back(at, fields, version);
      return last(at).properties["REAL_TOPIC"] ?? last(at).message.topic;
    };
    assert.equal(topicAfter({}), "%DLQ%group");
    assert.equal(topicAfter({ maxReconsumeTimes: 3 }), "%RETRY%group");
    assert.equal(topicAfter({ maxReconsumeTimes: 3 }, 120), "%DLQ%group");
    assert.equal(at.topics.get("%RETRY%group")!.writeQueueNums, 3);
  });

  it("takes the group's own retry policy", () => {
    const at = room();
    const groupRetryPolicy = { type: "EXPONENTIAL", exponentialRetryPolicy: { initial: 60_000 } };
    at.groups.put({ ...newSubscriptionGroupConfig("group"), rest: { groupRetryPolicy } });
    back(at);
    assert.equal(last(at).properties["DELAY"], "5");
  });

  it("refuses with RocketMQ's codes and stores nothing", () => {
    const code = (fields: Fields, tuning: Partial<BrokerTuning> = {}, prepare = (_: BrokerRoom) => {}) => {
      const at = room(tuning.brokerPermission === undefined ? tuning : {});
      prepare(at);
      const limited = { ...at, options: { ...at.options, ...tuning } };
      const answer = answerTo(at, consumerSendMsgBack(limited), {
        code: 36,
        ext: { offset: 0, group: "group", delayLevel: 0, ...fields },
      });
      assert.equal(at.store.appended.length, 1);
      return answer.code;
    };
    assert.equal(code({ group: "bad name" }), 26);
    assert.equal(code({}, { autoCreateSubscriptionGroup: false }), 26);
    assert.equal(code({}, { brokerPermission: Perm.READ }), 16);
    assert.equal(code({ offset: 5 }), 1);
    assert.equal(code({ offset: -1 }), 1);
    assert.equal(code({ offset: "x" }), 1);
    assert.equal(code({}, { topicsMax: 1 }), 1);
    assert.equal(
      code({}, {}, (at) => at.topics.put(newTopicConfig("%RETRY%group", { perm: Perm.READ }))),
      16,
    );
    const noRetries = (at: BrokerRoom) =>
      at.groups.put({ ...newSubscriptionGroupConfig("group"), retryQueueNums: 0 });
    assert.equal(code({}, {}, noRetries), 0);
    const full = (at: BrokerRoom) => {
      at.store.refusal = { reason: "DISK_FULL", remark: "full" };
    };
    assert.equal(code({}, {}, full), 1);
  });

  it("takes no other message for the one that is named", () => {
    const at = room();
    const { storeHost } = last(at).message;
    assert.equal(back(at, { originMsgId: "K" }).code, 0);
    assert.equal(back(at, { originMsgId: "" }).code, 0);
    assert.equal(back(at, { originMsgId: encodeOffsetMessageId(storeHost, 0) }).code, 0);
    const stored = at.store.appended.length;
    for (const originMsgId of ["L", encodeOffsetMessageId(storeHost, 1)]) {
      const { code, remark } = back(at, { originMsgId });
      assert.deepEqual([code, remark], [1, `look message by offset failed, 0: it is not ${originMsgId}`]);
    }
    assert.equal(at.store.appended.length, stored);
  });

  it("does not bring to light what is not for consumers", () => {
    const at = room();
    assert.equal(back(at).code, 0);
    const delayed = at.store.appended.at(-1)!.physicalOffset;
    assert.equal(back(at, { offset: delayed }).code, 1);
  });
});

describe("a client's own resend to a retry topic", () => {
  const resend = (at: BrokerRoom, fields: Fields, version?: number) => {
    const properties =
      "RETRY_TOPIC\u0001orders\u0002WAIT\u0001false\u0002DELAY\u00014\u0002UNIQ_KEY\u0001K\u0002";
    const answer = send(at, { topic: "%RETRY%group", properties, ...fields }, version);
    assert.equal(answer.code, 0, answer.remark);
    const { message, properties: stored } = last(at);
    return `${stored["REAL_TOPIC"] ?? message.topic} ${stored["DELAY"]} ${message.reconsumeTimes}`;
  };

  it("is delayed until the limit is passed, and a dead letter then", () => {
    const at = room();
    assert.equal(resend(at, { reconsumeTimes: 2 }), "%RETRY%group 4 2");
    assert.equal(resend(at, { reconsumeTimes: 16 }), "%RETRY%group 4 16");
    assert.equal(resend(at, { reconsumeTimes: 17 }), "%DLQ%group -1 17");
    assert.equal(resend(at, { reconsumeTimes: 4, maxReconsumeTimes: 3 }), "%DLQ%group -1 4");
    assert.equal(resend(at, { reconsumeTimes: 4, maxReconsumeTimes: 3 }, 120), "%RETRY%group 4 4");
    assert.equal(at.topics.get("%DLQ%group")!.writeQueueNums, 1);
    assert.equal(at.stats.sentToDlq, 2);
  });

  it("is a dead letter at once while the group consumes in order", () => {
    const at = room();
    at.lockKeeper.lock(
      "group",
      "client",
      [{ topic: "orders", brokerName: "broker-a", queueId: 0 }],
      () => {},
    );
    assert.equal(resend(at, { reconsumeTimes: 1 }), "%DLQ%group -1 1");
    at.host.advance(60_001);
    assert.equal(resend(at, { reconsumeTimes: 1 }), "%RETRY%group 4 1");
  });

  it("waits for the disk whatever its WAIT says", () => {
    const at = room();
    resend(at, { reconsumeTimes: 1 });
    assert.equal(at.store.appended.at(-1)!.durability, "flushed");
  });

  it("needs a group that exists: 26", () => {
    const at = room({ autoCreateSubscriptionGroup: false });
    assert.equal(send(at, { topic: "%RETRY%group", properties: "" }).code, 26);
  });
});

describe("retries through the real store", () => {
  it("bring a message back after its delay, and to the dead letters after the last", async () => {
    const sim = await SimBroker.started();
    await sim.send("orders", "hello");
    let record = (await sim.messages("orders"))[0]!;
    for (let retry = 0; retry < 2; retry++) {
      const ext = { offset: record.physicalOffset, group: "group", delayLevel: 1, maxReconsumeTimes: 2 };
      assert.equal((await sim.ask(RequestCode.CONSUMER_SEND_MSG_BACK, ext)).code, 0);
      await sim.run(900);
      assert.equal((await sim.messages("%RETRY%group")).length, retry);
      await sim.run(200);
      const records = await sim.messages("%RETRY%group");
      assert.equal(records.length, retry + 1);
      record = records.at(-1)!;
      assert.equal(record.reconsumeTimes, retry + 1);
    }
    const ext = { offset: record.physicalOffset, group: "group", delayLevel: 0, maxReconsumeTimes: 2 };
    assert.equal((await sim.ask(RequestCode.CONSUMER_SEND_MSG_BACK, ext)).code, 0);
    const [dead] = await sim.messages("%DLQ%group");
    assert.equal(Buffer.from(dead!.body).toString(), "hello");
    const properties = parseProperties(dead!.properties);
    assert.equal(properties.get("RETRY_TOPIC"), "orders");
    const [first] = await sim.messages("orders");
    assert.match(
      properties.get("ORIGIN_MESSAGE_ID")!,
      new RegExp(`${first!.physicalOffset.toString(16)}$`, "i"),
    );
  });
});
