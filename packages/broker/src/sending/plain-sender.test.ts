import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  decodeCommand,
  FrameWriter,
  newTopicConfig,
  SERIALIZE_JSON,
  SERIALIZE_ROCKETMQ,
} from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { sendMessage } from "../handlers/send-message.ts";
import { type BrokerRoom, brokerRoom } from "../testing/broker-room.ts";
import { call, FakeExchange, type FakeRequest } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";

const FIELDS: Readonly<Record<string, string>> = {
  a: "producers",
  b: "orders",
  c: "TBW102",
  d: "4",
  e: "1",
  f: "1",
  g: "1700000000000",
  h: "7",
  i: "UNIQ_KEY\u0001ABCDEF\u0002WAIT\u0001true\u0002TAGS\u0001täg\u0002KEYS\u0001k1 k2",
  j: "2",
  k: "false",
  m: "false",
};

const HALF = "UNIQ_KEY\u0001A\u0002TRAN_MSG\u0001true\u0002PGROUP\u0001g\u0002";

const TIMED = "UNIQ_KEY\u0001A\u0002TIMER_DELAY_SEC\u000160";

function room(tuning: Partial<BrokerTuning> = {}) {
  const made = brokerRoom({ tuning });
  made.topics.topics.apply({
    kind: "topic-put",
    topic: newTopicConfig("orders", { readQueueNums: 4, writeQueueNums: 4 }),
    atMs: 0,
  });
  return made;
}

const peer = new FakePeer();

/** Through a frame, as the server hands it over: plain if it can be. */
function byFrame(at: BrokerRoom, json: boolean, ext: Record<string, string>, body: string): FakeExchange {
  const writer = new FrameWriter();
  writer.frame({
    serializeType: json ? SERIALIZE_JSON : SERIALIZE_ROCKETMQ,
    code: 310,
    language: 0,
    version: 513,
    opaque: 1,
    flag: 0,
    header: (sink) => {
      for (const [name, value] of Object.entries(ext)) sink.put(name, value);
    },
    body: [Buffer.from(body)],
  });
  const command = decodeCommand(Buffer.from(writer.take()!.slices[0]!));
  const exchange = new FakeExchange(peer, 310, false);
  try {
    sendMessage(at)(command, exchange);
  } catch (error) {
    const { responseCode = 1, message } = error as { responseCode?: number; message: string };
    exchange.reply({ code: responseCode, remark: message });
  }
  at.host.endTurn();
  return exchange;
}

/** Without a frame there is nothing to read in place: always the long way. */
function byHandler(at: BrokerRoom, ext: Record<string, string>, body: string): FakeExchange {
  const request: FakeRequest = { code: 310, ext, body, peer };
  const exchange = call(sendMessage(at), request);
  at.host.endTurn();
  return exchange;
}

describe("PlainSender", () => {
  it("stores and answers exactly what the long way does", () => {
    for (const json of [false, true]) {
      const [short, long] = [room(), room()];
      const [first, second] = [byFrame(short, json, FIELDS, "hello"), byHandler(long, FIELDS, "hello")];
      assert.equal(first.answer?.code, 0);
      assert.deepEqual(first.answer, second.answer);
      assert.equal(first.answer?.ext.get("transactionId"), "ABCDEF");
      const [{ message, ...rest }, { message: expected, ...expectedRest }] = [
        short.store.appended[0]!,
        long.store.appended[0]!,
      ];
      assert.deepEqual(rest, expectedRest);
      assert.deepEqual(
        { ...message, body: Buffer.from(message.body) },
        { ...expected, body: Buffer.from(expected.body) },
      );
      assert.equal(short.stats.messagesPut, 1);
    }
  });

  it("takes the half of a transaction as the long way does", () => {
    for (const [json, more] of [
      [false, ""],
      [true, ""],
      [false, "a\u0001ü\u0002"],
    ] as const) {
      const ext = {
        ...FIELDS,
        f: "5",
        i: `${FIELDS["i"]}\u0002TRAN_MSG\u0001true\u0002PGROUP\u0001g\u0002${more}`,
      };
      const [short, long] = [room(), room()];
      const [first, second] = [byFrame(short, json, ext, "hello"), byHandler(long, ext, "hello")];
      assert.equal(first.answer?.code, 0);
      assert.deepEqual(first.answer, second.answer);
      const [stored, expected] = [short, long].map(({ store }) => {
        const { message, ...rest } = store.appended[0]!;
        return { ...rest, message: { ...message, body: Buffer.from(message.body) } };
      });
      assert.deepEqual(stored, expected);
      assert.ok(stored!.message.properties.endsWith("REAL_TOPIC\u0001orders\u0002REAL_QID\u00011\u0002"));
      const half = short.transactions.halves.at(0)?.half;
      assert.equal(half?.group, "g");
      assert.deepEqual(half, long.transactions.halves.at(0)?.half);
    }
  });

  it("takes a message for a time as the long way does", () => {
    for (const [json, timer, key] of [
      [false, "TIMER_DELAY_SEC\u000160", ""],
      [true, "TIMER_DELAY_MS\u000160000", ""],
      [false, "TIMER_DELAY_MS\u00011500", "__SHARDINGKEY\u0001s\u0002"],
      [false, "TIMER_DELIVER_MS\u00011700000099999", "a\u0001ü\u0002"],
    ] as const) {
      const ext = { ...FIELDS, f: "0", i: `${FIELDS["i"]}\u0002${timer}\u0002${key}` };
      const [short, long] = [room(), room()];
      const [first, second] = [byFrame(short, json, ext, "hello"), byHandler(long, ext, "hello")];
      assert.equal(first.answer?.code, 0, first.answer?.remark);
      assert.ok(first.answer?.ext.has("recallHandle"));
      assert.deepEqual(new Map([...first.answer!.ext].sort()), new Map([...second.answer!.ext].sort()));
      const [stored, expected] = [short, long].map(({ store }) => {
        const { message, ...rest } = store.appended[0]!;
        return { ...rest, message: { ...message, body: Buffer.from(message.body) } };
      });
      assert.deepEqual(stored, expected);
      assert.equal(stored!.message.topic, "rmq_sys_wheel_timer");
      const { properties } = stored!.message;
      assert.ok(properties.includes("TIMER_OUT_MS\u0001"));
      assert.ok(properties.endsWith("\u0002REAL_TOPIC\u0001orders\u0002REAL_QID\u00011\u0002"));
      const counted = [short, long].map(({ stats }) => [...stats.counted.allIncoming()]);
      assert.deepEqual(counted[0], counted[1]);
    }
  });

  it("leaves to the long way what is not plain, with the same outcome", () => {
    const changes: Record<string, string>[] = [
      { e: "-1" },
      { e: "9" },
      { b: "unknown-topic" },
      { b: "bad topic" },
      { b: "SCHEDULE_TOPIC_XXXX" },
      { b: "%RETRY%group" },
      { f: "4" },
      { f: "0", i: HALF },
      { f: "4", i: "UNIQ_KEY\u0001A\u0002TRAN_MSG\u0001true\u0002" },
      { f: "4", i: `${HALF}REAL_TOPIC\u0001other\u0002` },
      { f: "4", i: `${HALF}__transactionId__\u0001other\u0002` },
      { f: "4", i: `${HALF}CHECK_IMMUNITY_TIME_IN_SECONDS\u000130\u0002` },
      { f: "4", i: `${HALF}DELAY\u00013\u0002` },
      { f: "4", i: `${HALF}a\u0001${"x".repeat(32_500)}\u0002` },
      { i: `${TIMED}\u0002TIMER_DELAY_MS\u00015000\u0002` },
      { i: `${TIMED}\u0002TIMER_OUT_MS\u00015000\u0002` },
      { i: `${TIMED}\u0002TIMER_DEL_UNIQKEY\u0001orders+A\u0002` },
      { i: `${TIMED}\u0002DELAY\u00013\u0002` },
      { i: `${TIMED}\u0002WAIT\u0001false\u0002` },
      { i: `${TIMED}x\u0002` },
      { i: `${TIMED}000000000000000\u0002` },
      { i: "UNIQ_KEY\u0001A\u0002TIMER_DELAY_SEC\u0001\u0002" },
      { i: "UNIQ_KEY\u0001A\u0002TIMER_DELAY_SEC\u0001-5\u0002" },
      { i: "UNIQ_KEY\u0001A\u0002TIMER_DELAY_SEC\u0001+5\u0002" },
      { i: "UNIQ_KEY\u0001A\u0002TIMER_DELAY_SEC\u00019999999\u0002" },
      { i: "UNIQ_KEY\u0001A\u0002TIMER_DELIVER_MS\u00011\u0002" },
      { i: `${TIMED}\u0002a\u0001${"x".repeat(32_400)}\u0002` },
      { f: "64" },
      { i: "" },
      { i: "TAGS\u0001a\u0002" },
      { i: `UNIQ_KEY\u0001${"k".repeat(65)}\u0002` },
      { i: "UNIQ_KEY\u0001A\u0002WAIT\u0001false\u0002" },
      { i: "UNIQ_KEY\u0001A\u0002DELAY\u00013\u0002" },
      { i: "UNIQ_KEY\u0001A\u0002CLUSTER\u0001c\u0002" },
      { m: "true" },
      { k: "true" },
      { e: "x" },
    ];
    for (const change of changes) {
      const ext = { ...FIELDS, ...change };
      const [short, long] = [room(), room()];
      const [first, second] = [byFrame(short, false, ext, "hello"), byHandler(long, ext, "hello")];
      assert.deepEqual(first.answer, second.answer, JSON.stringify(change));
      assert.equal(short.store.appended.length, long.store.appended.length, JSON.stringify(change));
    }
  });

  it("minds the broker's limits", () => {
    for (const tuning of [{ maxMessageSize: 4 }, { propertiesBytesMax: 10 }, { brokerPermission: 4 }]) {
      const [short, long] = [room(tuning), room(tuning)];
      const [first, second] = [byFrame(short, false, FIELDS, "hello"), byHandler(long, FIELDS, "hello")];
      assert.deepEqual(first.answer, second.answer, JSON.stringify(tuning));
    }
    assert.equal(byFrame(room({ maxMessageSize: 4 }), false, FIELDS, "hello").answer?.code, 13);
  });

  it("tells why the store refuses", () => {
    const [short, long] = [room(), room()];
    for (const at of [short, long]) at.store.refusal = { reason: "DISK_FULL", remark: "full" };
    const answer = byFrame(short, false, FIELDS, "hello").answer;
    assert.equal(answer?.code, 14);
    assert.deepEqual(answer, byHandler(long, FIELDS, "hello").answer);
    assert.equal(short.stats.putFailed, 1);
  });
});
