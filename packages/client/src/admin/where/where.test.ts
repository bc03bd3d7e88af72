import assert from "node:assert/strict";
import { test } from "node:test";
import {
  encodeGroupList,
  encodeHostBytes,
  encodeKvTable,
  encodeWhereabouts,
  queryMessageRequestHeader,
  queryMessageResponseHeader,
  type RecordInput,
  RequestCode,
  recordSize,
  writeRecord,
} from "@orbitmq/wire";
import type { FakeBroker } from "../../testing/fake-broker.ts";
import { TestWorld } from "../../testing/test-world.ts";
import { Admin } from "../admin.ts";
import { bornAbout } from "./unique-id-time.ts";

const SCRIPTED = [
  RequestCode.GET_MESSAGE_WHEREABOUTS,
  RequestCode.GET_BROKER_RUNTIME_INFO,
  RequestCode.QUERY_TOPIC_CONSUME_BY_WHO,
];

async function stage() {
  const w = new TestWorld();
  const a = w.addBroker("broker-a");
  const b = w.addBroker("broker-b");
  for (const broker of [a, b]) {
    for (const code of SCRIPTED) {
      broker.server.handle(code, (request, exchange) => {
        const answer = broker.script?.(request, exchange) ?? false;
        if (typeof answer === "object") exchange.reply(answer);
      });
    }
  }
  w.nameServer.setRoute("orders", [b, a], 1);
  const admin = new Admin(w.host, { namesrv: w.namesrv, logger: w.logger });
  await w.settle(admin.start());
  return { w, admin, a, b };
}

function record(topic: string, position: number, more: Partial<RecordInput> = {}): Buffer {
  const host = encodeHostBytes({ host: "127.0.0.1", port: 10_911 });
  const input: RecordInput = {
    topic,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: host,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from("x"),
    properties: "KEYS\u0001k\u0002UNIQ_KEY\u0001ID\u0002",
    ...more,
  };
  const bytes = Buffer.alloc(recordSize(input));
  const storeTimestamp = 1_000 + position;
  writeRecord(input, bytes, 0, { queueOffset: position, physicalOffset: position, storeTimestamp });
  return bytes;
}

/** A broker with these records; one of ours tells more than a Java broker. */
function holds(broker: FakeBroker, records: readonly Buffer[], isOurs: boolean): string[] {
  const asked: string[] = [];
  broker.script = (request) => {
    const { code, ext } = request;
    if (code === RequestCode.GET_MESSAGE_WHEREABOUTS) {
      if (!isOurs) return { code: 3, remark: "request type 700001 not supported" };
      const log = { minOffset: 0, writtenOffset: 9_000, flushedOffset: 9_000, flushDiskType: "SYNC_FLUSH" };
      return {
        code: 0,
        body: [
          encodeWhereabouts({
            nowMs: 5_000,
            log: { ...log, state: "running" },
            keyIndex: { enabled: true, behindBytes: 0, fromMs: 1_000 },
            messages: [],
          }),
        ],
      };
    }
    if (code === RequestCode.GET_BROKER_RUNTIME_INFO) {
      const table = { commitLogMinOffset: "0", commitLogMaxOffset: "9000", earliestMessageTimeStamp: "1000" };
      return { code: 0, body: [encodeKvTable(new Map(Object.entries(table)))] };
    }
    if (code === RequestCode.QUERY_TOPIC_CONSUME_BY_WHO) return { code: 0, body: [encodeGroupList([])] };
    if (code !== RequestCode.QUERY_MESSAGE) return false;
    const { topic, endTimestamp, maxNum } = queryMessageRequestHeader.decode(ext);
    asked.push(`${topic} ${endTimestamp === Number.MAX_SAFE_INTEGER ? "all" : endTimestamp}`);
    const found = records.filter((bytes) => {
      const size = bytes.length;
      const at = Number(bytes.readBigInt64BE(28));
      return bytes.toString("latin1", 0, size).includes(topic) && 1_000 + at <= endTimestamp;
    });
    const newest = found.slice(-maxNum);
    const header = { indexLastUpdateTimestamp: 5_000, indexLastUpdatePhyoffset: 9_000 };
    return newest.length === 0
      ? { code: 22, remark: "can not find message" }
      : { code: 0, header: (sink) => queryMessageResponseHeader.encode(header, sink), body: newest };
  };
  return asked;
}

test("a broker that cannot be reached is a hole in the search, and the message may be in it", async () => {
  const { w, admin, a, b } = await stage();
  holds(a, [], true);
  b.script = () => true;
  const none = await w.settle(admin.where({ id: "ID", topic: "orders" }));
  assert.equal(none.searched.complete, false);
  assert.match(none.verdict, /^NOT FOUND, but the search is incomplete: broker-b: .*\(TIMEOUT\)/);
  holds(a, [record("orders", 0)], true);
  const found = await w.settle(admin.where({ id: "ID", topic: "orders" }));
  assert.deepEqual([found.messages.length, found.searched.complete], [1, false]);
  await w.settle(admin.shutdown());
});

test("a broker that is no OrbitMQ is asked in RocketMQ's words alone, and the answer says what it does not tell", async () => {
  const { w, admin, a, b } = await stage();
  holds(a, [record("orders", 0)], false);
  holds(b, [], false);
  const { messages, searched } = await w.settle(admin.where({ key: "k", topic: "orders" }));
  assert.equal(searched.complete, true);
  assert.deepEqual(
    searched.brokers.map(({ logMaxOffset, fromMs }) => [logMaxOffset, fromMs]),
    [
      [9_000, 1_000],
      [9_000, 1_000],
    ],
  );
  assert.match(messages[0]!.notTold.join(), /broker-a is no OrbitMQ: it does not tell file, durability/);
  assert.deepEqual([messages[0]!.at?.file, messages[0]!.at?.durability], [undefined, undefined]);
  await w.settle(admin.shutdown());
});

test("an answer that says it is not complete leaves a hole", async () => {
  const { w, admin, a, b } = await stage();
  holds(b, [], true);
  holds(a, [], true);
  const { script } = a;
  a.script = (request, exchange) =>
    request.code === RequestCode.QUERY_MESSAGE
      ? { code: 1, remark: "the index or a message cannot be read" }
      : script!(request, exchange);
  const { verdict } = await w.settle(admin.where({ id: "ID" }));
  assert.match(verdict, /^NOT FOUND, but the search is incomplete: broker-a: .*cannot be read/);
  await w.settle(admin.shutdown());
});

test("more copies than one answer holds are asked for page by page", async () => {
  const { w, admin, a, b } = await stage();
  holds(b, [], true);
  const asked = holds(
    a,
    Array.from({ length: 150 }, (_, i) => record("orders", i * 10)),
    true,
  );
  const { messages, more } = await w.settle(admin.where({ id: "ID", topic: "orders", max: 200 }));
  assert.deepEqual([messages.length, more], [150, false]);
  assert.deepEqual(asked.filter((each) => each.startsWith("orders")).slice(0, 3), [
    "orders all",
    "orders 1860",
    "orders 1230",
  ]);
  await w.settle(admin.shutdown());
});

test("a unique id says when it was made, in the newest month that fits", () => {
  const now = Date.UTC(2026, 2, 10, 12);
  const id = (ms: number) => `7F000001000100000000${ms.toString(16).toUpperCase().padStart(8, "0")}0001`;
  assert.equal(bornAbout(id(3_600_000), now), Date.UTC(2026, 2, 1, 1));
  assert.equal(bornAbout(id(20 * 86_400_000), now), Date.UTC(2026, 1, 21));
  assert.equal(bornAbout(id(40 * 86_400_000), now), undefined);
  assert.equal(bornAbout("mine", now), undefined);
});
