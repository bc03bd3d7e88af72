import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HostError } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import {
  decodeOffsetMessageId,
  decodeRecallHandle,
  encodeBatchBody,
  getProperty,
  newTopicConfig,
  parseProperties,
} from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import { answerTo, type BrokerRoom, brokerRoom, type RoomOptions } from "../testing/broker-room.ts";
import { type Answer, call, type FakeRequest } from "../testing/fake-exchange.ts";
import { FakePeer } from "../testing/fake-peer.ts";
import { sendMessage } from "./send-message.ts";

const V1 = {
  producerGroup: "producers",
  topic: "orders",
  defaultTopic: "TBW102",
  defaultTopicQueueNums: 4,
  queueId: 1,
  sysFlag: 0,
  bornTimestamp: 1_700_000_000_000,
  flag: 7,
};

type V1Fields = typeof V1 & {
  properties: string;
  reconsumeTimes: number;
  unitMode: boolean;
  batch: boolean;
};

const V2_NAMES: Readonly<Record<string, string>> = {
  producerGroup: "a",
  topic: "b",
  defaultTopic: "c",
  defaultTopicQueueNums: "d",
  queueId: "e",
  sysFlag: "f",
  bornTimestamp: "g",
  flag: "h",
  properties: "i",
  reconsumeTimes: "j",
  unitMode: "k",
  batch: "m",
};

function v1(fields: Partial<V1Fields> = {}, body = "hello"): FakeRequest {
  return { code: 10, ext: { ...V1, ...fields }, body };
}

function v2(fields: Partial<V1Fields> = {}, body: string | Uint8Array = "hello", code = 310): FakeRequest {
  const ext: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries({ ...V1, ...fields })) ext[V2_NAMES[name]!] = value;
  return { code, ext, body };
}

function properties(entries: Record<string, string>): string {
  return Object.entries(entries)
    .map(([name, value]) => `${name}\u0001${value}\u0002`)
    .join("");
}

/** How a message for a time is stored in a room whose clock stands at 1,700,000,001,000. */
function timed(room: Room, entries: Readonly<Record<string, string>>) {
  const answer = room.send(v2({ properties: properties(entries) }));
  assert.equal(answer.code, 0, answer.remark);
  const { message } = room.stored.at(-1)!;
  return { answer, message, of: (name: string) => getProperty(message.properties, name) };
}

class Room {
  readonly room: BrokerRoom;
  readonly handler: ReturnType<typeof sendMessage>;

  constructor(tuning: Partial<BrokerTuning> = {}, options: RoomOptions = {}) {
    this.room = brokerRoom({ ...options, tuning });
    this.handler = sendMessage(this.room);
    this.room.topics.topics.apply({
      kind: "topic-put",
      topic: newTopicConfig("orders", { readQueueNums: 4, writeQueueNums: 4 }),
      atMs: 0,
    });
  }

  send(request: FakeRequest): Answer {
    return answerTo(this.room, this.handler, request);
  }

  get stored() {
    return this.room.store.appended;
  }

  storedProperties(index = 0): Record<string, string> {
    return Object.fromEntries(parseProperties(this.stored[index]!.message.properties));
  }
}

describe("send-message", () => {
  it("stores what was sent and answers where it lies", () => {
    const at = new Room();
    const peer = new FakePeer();
    const sent = properties({ TAGS: "a", UNIQ_KEY: "ABCDEF" });
    const answer = at.send({ ...v1({ properties: sent, reconsumeTimes: 2 }), peer });
    assert.equal(answer.code, 0);
    assert.equal(answer.ext.get("queueId"), "1");
    assert.equal(answer.ext.get("queueOffset"), "0");
    assert.equal(answer.ext.get("transactionId"), "ABCDEF");
    assert.equal(answer.ext.get("MSG_REGION"), "DefaultRegion");
    assert.equal(answer.ext.get("TRACE_ON"), "true");
    assert.equal(answer.ext.get("durability"), "disk");
    const id = decodeOffsetMessageId(answer.ext.get("msgId")!);
    assert.deepEqual([...id.storeHost], [10, 0, 0, 1, 0, 0, 0x2a, 0x9f]);
    assert.equal(id.physicalOffset, 0);
    const { message, body } = at.stored[0]!;
    assert.equal(body, "hello");
    assert.deepEqual(
      [
        message.topic,
        message.queueId,
        message.flag,
        message.sysFlag,
        message.bornTimestamp,
        message.reconsumeTimes,
      ],
      ["orders", 1, 7, 0, 1_700_000_000_000, 2],
    );
    assert.deepEqual(message.bornHost, peer.addressBytes);
    assert.deepEqual(at.storedProperties(), {
      TAGS: "a",
      UNIQ_KEY: "ABCDEF",
      MSG_REGION: "DefaultRegion",
      TRACE_ON: "true",
      CLUSTER: "DefaultCluster",
    });
  });

  it("takes the short names of code 310", () => {
    const at = new Room();
    assert.equal(at.send(v2({ queueId: 3 })).ext.get("queueId"), "3");
    assert.equal(at.stored[0]!.message.queueId, 3);
  });

  it("makes a unique key for a message without one", () => {
    const at = new Room();
    const answer = at.send(v1());
    const key = at.storedProperties()["UNIQ_KEY"];
    assert.match(key ?? "", /^[0-9A-F]{32}$/);
    assert.equal(answer.ext.get("transactionId"), key);
  });

  it("does not answer before the message is as durable as asked", () => {
    const at = new Room();
    at.room.store.autoFlush = false;
    const exchange = call(at.handler, v1());
    at.room.host.advance(10_000);
    assert.equal(exchange.isAnswered, false);
    at.room.store.flush();
    assert.equal(exchange.answer?.code, 0);
    assert.equal(at.stored[0]!.durability, "flushed");
  });

  it("waits for the page cache only when the message says WAIT=false or the broker flushes behind", () => {
    const waitless = new Room();
    assert.equal(
      waitless.send(v1({ properties: properties({ WAIT: "false" }) })).ext.get("durability"),
      "memory",
    );
    assert.equal(waitless.stored[0]!.durability, "written");
    const asynchronous = new Room({ flushDiskType: "ASYNC_FLUSH" });
    assert.equal(asynchronous.send(v1()).ext.get("durability"), "memory");
    assert.equal(asynchronous.stored[0]!.durability, "written");
  });

  it("counts the bytes of the whole record, as RocketMQ does", () => {
    const at = new Room();
    at.send(v1({}, "hello"));
    // What the store in memory takes a record for: a hundred bytes and the body.
    assert.deepEqual([at.room.stats.messagesPut, at.room.stats.putBytes], [1, 105]);
  });

  it("never claims a disk for a store in memory", () => {
    assert.equal(new Room({}, { inMemory: true }).send(v1()).ext.get("durability"), "memory");
  });

  it("answers 10 with all the rest when the flush takes too long", () => {
    const at = new Room();
    at.room.store.autoFlush = false;
    const exchange = call(at.handler, v1());
    at.room.store.timeOut();
    assert.equal(exchange.answer?.code, 10);
    assert.equal(exchange.answer?.ext.get("durability"), "memory");
    assert.equal(exchange.answer?.ext.get("queueOffset"), "0");
  });

  it("answers 14 and says the outcome is unknown when the store fails under it", () => {
    const at = new Room();
    at.room.store.autoFlush = false;
    const exchange = call(at.handler, v1());
    at.room.store.fail();
    assert.equal(exchange.answer?.code, 14);
    assert.equal(exchange.answer?.ext.get("outcome"), "unknown");
    assert.equal(exchange.answer?.ext.get("msgId"), undefined);
    const next = at.send(v1());
    assert.equal(next.code, 14);
    assert.equal(next.ext.get("outcome"), undefined);
    assert.match(next.remark ?? "", /write error.*EIO/);
  });

  it("passes on why the store refuses", () => {
    for (const [reason, code] of [
      ["DISK_FULL", 14],
      ["STORE_FAILED", 14],
      ["STORE_STOPPED", 14],
      ["BUSY", 2],
      ["MESSAGE_ILLEGAL", 13],
      ["PROPERTIES_SIZE_EXCEEDED", 13],
    ] as const) {
      const at = new Room();
      at.room.store.refusal = { reason, remark: "because" };
      const answer = at.send(v1());
      assert.equal(answer.code, code, reason);
      assert.match(answer.remark ?? "", /because/);
      // The pooled object of the refused send serves the next one.
      at.room.store.refusal = undefined;
      assert.equal(at.send(v1()).code, 0);
    }
  });

  it("keeps the answers of overlapping sends apart", () => {
    const at = new Room();
    at.room.store.autoFlush = false;
    const exchanges = [0, 1, 2, 3].map((queueId) => call(at.handler, v1({ queueId })));
    at.room.store.flush();
    const more = [3, 2].map((queueId) => call(at.handler, v1({ queueId })));
    at.room.store.flush();
    assert.deepEqual(
      [...exchanges, ...more].map((exchange) => [
        exchange.answer?.ext.get("queueId"),
        exchange.answer?.ext.get("queueOffset"),
      ]),
      [
        ["0", "0"],
        ["1", "0"],
        ["2", "0"],
        ["3", "0"],
        ["3", "1"],
        ["2", "1"],
      ],
    );
  });

  describe("refuses with RocketMQ's code", () => {
    const cases: [
      name: string,
      fields: Partial<V1Fields>,
      body: string | Uint8Array,
      code: number,
      remark: RegExp,
    ][] = [
      ["an empty body", {}, "", 13, /empty/],
      ["a body over 4 MiB", {}, new Uint8Array(4_194_305), 13, /4194305 bytes, the limit is 4194304/],
      [
        "properties over 32,767 characters",
        { properties: `a\u0001${"x".repeat(32_767)}\u0002` },
        "b",
        13,
        /limit is 32767/,
      ],
      ["a topic name with a blank", { topic: "or ders" }, "b", 29, /illegal characters/],
      ["a topic name of 128 characters", { topic: "x".repeat(128) }, "b", 29, /longer than/],
      ["an empty topic name", { topic: "" }, "b", 29, /blank/],
      ["the schedule topic", { topic: "SCHEDULE_TOPIC_XXXX" }, "b", 16, /forbidden/],
      ["the timer's topic", { topic: "rmq_sys_wheel_timer" }, "b", 16, /forbidden/],
      ["a queue the topic does not have", { queueId: 4 }, "b", 29, /queueId\[4\] is illegal/],
      ["a half by its flag only", { sysFlag: 4 }, "b", 13, /TRAN_MSG does not/],
      ["the end of a transaction", { sysFlag: 8 }, "b", 13, /ends a transaction/],
      ["a half without a group", { properties: properties({ TRAN_MSG: "true" }) }, "b", 13, /PGROUP/],
      [
        "a half with a delay",
        { properties: properties({ TRAN_MSG: "true", PGROUP: "g", DELAY: "3" }) },
        "b",
        13,
        /DELAY/,
      ],
      [
        "a half whose properties leave no room",
        { properties: properties({ TRAN_MSG: "true", PGROUP: "g", a: "x".repeat(32_500) }) },
        "b",
        13,
        /no room/,
      ],
      ["a delay level that is none", { properties: properties({ DELAY: "3x" }) }, "b", 13, /DELAY/],
      ["a time that is none", { properties: properties({ TIMER_DELAY_SEC: "3s" }) }, "b", 13, /no number/],
      [
        "a time too far ahead",
        { properties: properties({ TIMER_DELAY_SEC: "259201" }) },
        "b",
        13,
        /259200 s/,
      ],
      [
        "a deletion whose time has come",
        { properties: properties({ TIMER_DELIVER_MS: "9", TIMER_DEL_UNIQKEY: "k" }) },
        "b",
        13,
        /has come/,
      ],
      ["an inner batch", { sysFlag: 128 }, "b", 13, /inner batch/],
    ];
    for (const [name, fields, body, code, remark] of cases) {
      it(`${name}: ${code}`, () => {
        const at = new Room();
        const answer = at.send(v2(fields, body));
        assert.equal(answer.code, code);
        assert.match(answer.remark ?? "", remark);
        assert.equal(at.stored.length, 0);
        assert.equal(at.send(v2()).code, 0);
      });
    }

    it("a topic that may not be created: 17", () => {
      for (const [tuning, defaultTopic] of [
        [{ autoCreateTopicEnable: false }, "TBW102"],
        [{}, "nothing"],
        [{}, "orders"],
        [{ topicsMax: 1 }, "TBW102"],
      ] as const) {
        const at = new Room(tuning);
        const answer = at.send(v2({ topic: "fresh", defaultTopic }));
        assert.equal(answer.code, 17, defaultTopic);
        assert.equal(at.room.topics.get("fresh"), undefined);
      }
    });

    it("an ordered topic while the broker is not writable: 16", () => {
      const at = new Room({ brokerPermission: 4 });
      const ordered = newTopicConfig("ordered", { order: true });
      at.room.topics.topics.apply({ kind: "topic-put", topic: ordered, atMs: 0 });
      assert.equal(at.send(v2({ topic: "ordered" })).code, 16);
      assert.equal(at.send(v2()).code, 0);
    });
  });

  it("creates a topic after TBW102 with the queues asked for, eight at most", () => {
    const at = new Room();
    assert.equal(at.send(v2({ topic: "few", queueId: 3 })).code, 0);
    assert.equal(at.send(v2({ topic: "many", defaultTopicQueueNums: 99, queueId: 7 })).code, 0);
    const { readQueueNums, writeQueueNums, perm } = at.room.topics.get("few")!;
    assert.deepEqual([readQueueNums, writeQueueNums, perm], [4, 4, 6]);
    assert.equal(at.room.topics.get("many")!.writeQueueNums, 8);
    assert.deepEqual(at.room.changes, ["topics", "topics"]);
  });

  it("creates topics after the cluster's and the broker's name", () => {
    const at = new Room();
    assert.equal(
      at.send(v2({ topic: "c", defaultTopic: "DefaultCluster", defaultTopicQueueNums: 16 })).code,
      0,
    );
    assert.equal(at.send(v2({ topic: "b", defaultTopic: "broker-a", queueId: 0 })).code, 0);
    assert.equal(at.room.topics.get("c")!.writeQueueNums, 16);
    assert.equal(at.room.topics.get("b")!.writeQueueNums, 1);
  });

  it("stores a delayed message for later, and answers with the queue it was sent to", () => {
    const at = new Room();
    const answer = at.send(
      v2({ topic: "fresh", queueId: 2, properties: properties({ DELAY: "3", TAGS: "a" }) }),
    );
    assert.equal(answer.code, 0);
    assert.equal(answer.ext.get("queueId"), "2");
    assert.notEqual(at.room.topics.get("fresh"), undefined);
    assert.deepEqual(
      [at.stored[0]!.message.topic, at.stored[0]!.message.queueId],
      ["SCHEDULE_TOPIC_XXXX", 2],
    );
    const stored = at.storedProperties();
    assert.deepEqual(
      [stored["REAL_TOPIC"], stored["REAL_QID"], stored["DELAY"], stored["CLUSTER"]],
      ["fresh", "2", "3", "DefaultCluster"],
    );
  });

  it("takes no batch with delays", () => {
    const at = new Room();
    const entry = (text: string) => ({ flag: 0, body: Buffer.from("b"), properties: text });
    const delayed = properties({ DELAY: "1" });
    const batch = (text: string, fields: object) =>
      v2({ batch: true, ...fields }, encodeBatchBody([entry(text)]), 320);
    assert.equal(at.send(batch(delayed, {})).code, 13);
    assert.equal(at.send(batch("", { properties: delayed })).code, 13);
    assert.equal(at.send(batch("", {})).code, 0);
    assert.equal(at.stored.length, 1);
  });

  it("creates no topic for a message it refuses", () => {
    const at = new Room();
    assert.equal(at.send(v2({ topic: "fresh", properties: properties({ TIMER_DELAY_MS: "x" }) })).code, 13);
    assert.equal(at.send(v2({ topic: "fresh", queueId: 9 })).code, 29);
    at.room.store.refusal = { reason: "DISK_FULL", remark: "full" };
    assert.equal(at.send(v2({ topic: "fresh" })).code, 14);
    assert.equal(at.room.topics.get("fresh"), undefined);
  });

  it("creates a retry topic with one queue where topics are not created by sending", () => {
    const at = new Room({ autoCreateTopicEnable: false });
    assert.equal(at.send(v2({ topic: "%RETRY%group", queueId: 0, unitMode: true })).code, 0);
    assert.equal(at.room.topics.get("%RETRY%group")!.writeQueueNums, 1);
    assert.equal(at.room.topics.get("%RETRY%group")!.topicSysFlag, 2);
    assert.equal(at.send(v2({ topic: "%DLQ%group", queueId: 0 })).code, 17);
  });

  it("picks a queue when the producer leaves it open", () => {
    const at = new Room();
    const queues = new Set(Array.from({ length: 8 }, () => at.send(v2({ queueId: -1 })).ext.get("queueId")));
    assert.deepEqual([...queues].sort(), ["0", "1", "2", "3"]);
  });

  it("marks messages of a topic with several tags per message", () => {
    const at = new Room();
    const multi = newTopicConfig("multi", { topicFilterType: "MULTI_TAG" });
    at.room.topics.topics.apply({ kind: "topic-put", topic: multi, atMs: 0 });
    at.send(v2({ topic: "multi", sysFlag: 1 }));
    assert.equal(at.stored[0]!.message.sysFlag, 3);
  });

  it("stores but does not answer a one-way send", () => {
    const at = new Room();
    const exchange = call(at.handler, { ...v2(), oneway: true });
    at.room.host.endTurn();
    assert.equal(at.stored.length, 1);
    assert.equal(exchange.isOneway, true);
  });

  describe("a batch", () => {
    const batchBody = encodeBatchBody(
      ["one", "two", "three"].map((body, flag) => ({
        flag,
        body: Buffer.from(body),
        properties: properties({ UNIQ_KEY: `K${flag}` }),
      })),
    );

    it("is stored as its messages, properties untouched, and answered with all ids", () => {
      const at = new Room();
      const answer = at.send(v2({ batch: true, properties: properties({ UNIQ_KEY: "B" }) }, batchBody, 320));
      assert.equal(answer.code, 0);
      assert.equal(answer.ext.get("queueOffset"), "0");
      assert.equal(answer.ext.get("transactionId"), "B");
      const ids = answer.ext
        .get("msgId")!
        .split(",")
        .map((id) => decodeOffsetMessageId(id).physicalOffset);
      assert.deepEqual(ids, [0, 103, 206]);
      assert.deepEqual(
        at.stored.map(({ body, message }) => [body, message.flag, message.properties]),
        [
          ["one", 0, "UNIQ_KEY\u0001K0\u0002"],
          ["two", 1, "UNIQ_KEY\u0001K1\u0002"],
          ["three", 2, "UNIQ_KEY\u0001K2\u0002"],
        ],
      );
    });

    it("is refused whole when it is malformed, too large, for a retry topic, or asks for a delay", () => {
      const delayed = encodeBatchBody([
        { flag: 0, body: Buffer.from("a"), properties: "" },
        { flag: 0, body: Buffer.from("b"), properties: properties({ DELAY: "2" }) },
      ]);
      for (const [fields, body] of [
        [{}, batchBody.subarray(0, -1)],
        [{ topic: "%RETRY%g" }, batchBody],
        [{}, delayed],
        [{ properties: properties({ TIMER_DELIVER_MS: "9" }) }, batchBody],
      ] as const) {
        const at = new Room({ batchMessagesMax: 3 });
        assert.equal(at.send(v2({ batch: true, ...fields }, body, 320)).code, 13);
        assert.equal(at.stored.length, 0);
      }
      const small = new Room({ batchMessagesMax: 2 });
      assert.equal(small.send(v2({ batch: true }, batchBody, 320)).code, 13);
    });
  });

  describe("in a topic that is new", () => {
    class TopicsFile {
      readonly saves: ((error?: HostError) => void)[] = [];
      save(_text: string, done: (error: HostError | undefined) => void): void {
        this.saves.push(done);
      }
    }

    function withFile(): { at: Room; file: TopicsFile } {
      const file = new TopicsFile();
      return { at: new Room({}, { topicsFile: file as unknown as StateFile }), file };
    }

    it("acknowledges only once topics.json names the topic", () => {
      const { at, file } = withFile();
      const exchange = call(at.handler, v2({ topic: "fresh" }));
      at.room.host.advance(1_000);
      assert.equal(at.stored.length, 1);
      assert.equal(exchange.isAnswered, false);
      file.saves[0]!();
      assert.equal(exchange.answer?.code, 0);
      assert.equal(at.send(v2({ topic: "fresh" })).code, 0);
      assert.equal(file.saves.length, 1);
    });

    it("answers 14, outcome unknown, when topics.json cannot be written, and tries again for the next", () => {
      const { at, file } = withFile();
      const first = call(at.handler, v2({ topic: "fresh" }));
      at.room.host.endTurn();
      file.saves[0]!(new HostError("ENOSPC", "disk full"));
      assert.equal(first.answer?.code, 14);
      assert.equal(first.answer?.ext.get("outcome"), "unknown");
      assert.match(first.answer?.remark ?? "", /ENOSPC/);
      const second = call(at.handler, v2({ topic: "fresh" }));
      at.room.host.endTurn();
      assert.equal(second.isAnswered, false);
      file.saves[1]!();
      assert.equal(second.answer?.code, 0);
    });

    it("writes topics.json once for many topics of one turn", () => {
      const { at, file } = withFile();
      const exchanges = ["t1", "t2", "t3"].map((topic) => call(at.handler, v2({ topic })));
      at.room.host.endTurn();
      assert.equal(file.saves.length, 1);
      file.saves[0]!();
      assert.deepEqual(
        exchanges.map((exchange) => exchange.answer?.code),
        [0, 0, 0],
      );
    });
  });
});

describe("a message for a time", () => {
  it("goes to the timer's queue with its real place, and its sender gets a handle to take it back", () => {
    const cases: [Record<string, string>, string][] = [
      [{ TIMER_DELAY_SEC: "3" }, "1700000003000"],
      [{ TIMER_DELAY_MS: "3001" }, "1700000004000"],
      [{ TIMER_DELIVER_MS: "1700000009999" }, "1700000009000"],
      [{ TIMER_DELIVER_MS: "1700000009000", TIMER_DELAY_SEC: "3" }, "1700000003000"],
    ];
    for (const [entries, outMs] of cases) {
      const { answer, message, of } = timed(new Room(), { UNIQ_KEY: "key", ...entries });
      assert.deepEqual([message.topic, message.queueId], ["rmq_sys_wheel_timer", 0]);
      assert.deepEqual([of("TIMER_OUT_MS"), of("REAL_TOPIC"), of("REAL_QID")], [outMs, "orders", "1"]);
      const handle = decodeRecallHandle(answer.ext.get("recallHandle")!);
      const timestampMs = Number(outMs) + 1;
      assert.deepEqual(handle, { topic: "orders", brokerName: "broker-a", timestampMs, uniqKey: "key" });
    }
  });

  it("whose time has come, or that was delivered once, is an ordinary one", () => {
    for (const entries of [
      { TIMER_DELIVER_MS: "1700000001000" },
      { TIMER_DELAY_SEC: "-5" },
      { TIMER_DELAY_SEC: "5", TIMER_OUT_MS: "1" },
    ]) {
      const { answer, message } = timed(new Room(), entries);
      assert.deepEqual([message.topic, answer.ext.get("recallHandle")], ["orders", undefined]);
    }
  });

  it("with a delay level, too, waits for the level", () => {
    const { message, of } = timed(new Room(), { DELAY: "3", TIMER_DELAY_SEC: "9" });
    assert.deepEqual([message.topic, of("TIMER_DELAY_SEC")], ["SCHEDULE_TOPIC_XXXX", undefined]);
  });

  it("is answered 1 where there are no timers", () => {
    const at = new Room({ timerWheelEnable: false });
    const answer = at.send(v2({ properties: properties({ TIMER_DELAY_SEC: "3" }) }));
    assert.equal(answer.code, 1);
    assert.match(answer.remark ?? "", /timerWheelEnable/);
    assert.equal(at.stored.length, 0);
  });
});
