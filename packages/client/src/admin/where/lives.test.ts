import assert from "node:assert/strict";
import { test } from "node:test";
import {
  encodeHostBytes,
  formatProperties,
  MessageSysFlag,
  type RecordInput,
  readRecord,
  recordSize,
  writeRecord,
} from "@orbitmq/wire";
import { type Copy, copyOf, groupOf, topicOf } from "./copies.ts";
import { type Life, livesOf } from "./lives.ts";

const HOST = encodeHostBytes({ host: "10.0.0.1", port: 10_911 });

function copy(
  topic: string,
  position: number,
  properties: Record<string, string | number> = {},
  more: Partial<RecordInput> = {},
): Copy {
  const input: RecordInput = {
    topic,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    bornHost: HOST,
    storeHost: HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from("x"),
    properties: formatProperties(
      Object.entries({ UNIQ_KEY: "ID", ...properties }).map(
        ([name, value]) => [name, String(value)] as const,
      ),
    ),
    ...more,
  };
  const bytes = Buffer.alloc(recordSize(input));
  writeRecord(input, bytes, 0, { queueOffset: position, physicalOffset: position, storeTimestamp: position });
  return copyOf("broker-a", readRecord(bytes));
}

const retry = (group: string, position: number, properties: Record<string, string | number> = {}) =>
  copy(`%RETRY%${group}`, position, { RETRY_TOPIC: "orders", ...properties }, { reconsumeTimes: 1 });
const waiting = (topic: string, position: number, properties: Record<string, string | number> = {}) =>
  copy(topic, position, { REAL_TOPIC: "orders", REAL_QID: 0, ...properties });
const commit = (position: number, preparedTransactionOffset: number) =>
  copy(
    "orders",
    position,
    {},
    { preparedTransactionOffset, sysFlag: MessageSysFlag.TRANSACTION_COMMIT_TYPE },
  );

/** Positions of each part. */
const shown = (lives: readonly Life[]) =>
  lives.map(({ message, halves, delays, parked, deletion, returns, wasAt, isShared }) => {
    const at = (each: Copy | undefined) => each?.record.physicalOffset;
    return {
      ...(message && { message: at(message) }),
      ...(wasAt && { wasAt }),
      ...(halves.length > 0 && { halves: halves.map(at) }),
      ...(delays.length > 0 && { delays: delays.map(at) }),
      ...(parked && { parked: at(parked) }),
      ...(deletion && { deletion: at(deletion) }),
      ...(returns.size > 0 && {
        returns: Object.fromEntries([...returns].map(([g, all]) => [g, all.map(at)])),
      }),
      ...(isShared && { isShared }),
    };
  });

const tell = (copies: readonly Copy[], groups: readonly string[] = ["g"]) =>
  shown(livesOf("orders", copies, groups));

test("two messages of one id have their own retries, by the place each came from", () => {
  const [one, two] = [copy("orders", 10), copy("orders", 20)];
  const copies = [
    one,
    two,
    retry("g", 30, { ORIGIN_MESSAGE_ID: two.offsetMsgId }),
    retry("g", 40, { ORIGIN_MESSAGE_ID: one.offsetMsgId }),
  ];
  assert.deepEqual(tell(copies), [
    { message: 10, returns: { g: [40] } },
    { message: 20, returns: { g: [30] } },
  ]);
});

test("retries that name no message are of the newest before them, and the life says that they may not be", () => {
  const copies = [copy("orders", 10), copy("orders", 20), copy("%RETRY%g_orders", 15), copy("orders", 30)];
  assert.deepEqual(tell(copies), [{ message: 10, returns: { g: [15] } }, { message: 20 }, { message: 30 }]);
  assert.deepEqual(tell([copy("orders", 10), copy("orders", 20), copy("%RETRY%g+orders", 25)]), [
    { message: 10 },
    { message: 20, returns: { g: [25] }, isShared: true },
  ]);
});

test("what is left of a message that is gone is one life, with the place it had", () => {
  const gone = copy("orders", 10).offsetMsgId;
  const first = retry("g", 20, { ORIGIN_MESSAGE_ID: gone });
  const dead = copy("%DLQ%g", 30, { RETRY_TOPIC: "orders", ORIGIN_MESSAGE_ID: gone });
  const other = copy("%RETRY%h_orders", 40);
  assert.deepEqual(tell([first, dead, other], ["g", "h"]), [
    { wasAt: gone, returns: { g: [20, 30], h: [40] } },
  ]);
});

test("a dead letter that names a retry is of the message that was retried", () => {
  const message = copy("orders", 10);
  const popped = copy("%RETRY%g_orders", 20);
  const dead = copy("%DLQ%g", 30, { RETRY_TOPIC: "orders", ORIGIN_MESSAGE_ID: popped.offsetMsgId });
  assert.deepEqual(tell([message, copy("orders", 25), popped, dead]), [
    { message: 10, returns: { g: [20, 30] } },
    { message: 25 },
  ]);
});

test("halves that were checked are one transaction, its commit names any of them, and a second send is another", () => {
  const half = (position: number, checks: number) =>
    waiting("RMQ_SYS_TRANS_HALF_TOPIC", position, { TRANSACTION_CHECK_TIMES: checks, PGROUP: "p" });
  assert.deepEqual(tell([half(10, 0), half(20, 1), half(30, 2), commit(40, 20)]), [
    { message: 40, halves: [10, 20, 30] },
  ]);
  assert.deepEqual(tell([half(10, 0), half(20, 0), commit(40, 20)]), [
    { halves: [10] },
    { message: 40, halves: [20] },
  ]);
  const parked = waiting("TRANS_CHECK_MAX_TIME_TOPIC", 50);
  assert.deepEqual(tell([half(10, 0), half(20, 1), parked]), [{ halves: [10, 20], parked: 50 }]);
  assert.deepEqual(tell([parked]), [{ parked: 50 }]);
});

test("delays become messages in their order, and timers roll until they do", () => {
  const level = (position: number) => waiting("SCHEDULE_TOPIC_XXXX", position, { DELAY: 3 });
  const delivered = (position: number) => copy("orders", position, { DELAY: 3, REAL_TOPIC: "orders" });
  assert.deepEqual(tell([level(10), level(20), delivered(30)]), [
    { message: 30, delays: [10] },
    { delays: [20] },
  ]);
  const timed = (position: number, rolls: number) =>
    waiting("rmq_sys_wheel_timer", position, { TIMER_OUT_MS: 9_000, TIMER_ROLL_TIMES: rolls });
  assert.deepEqual(tell([timed(10, 0), timed(20, 1), copy("orders", 30, { TIMER_OUT_MS: 9_000 })]), [
    { message: 30, delays: [10, 20] },
  ]);
  const deletion = (key: string) =>
    waiting("rmq_sys_wheel_timer", 40, { TIMER_OUT_MS: 9_000, TIMER_DEL_UNIQKEY: key });
  assert.deepEqual(tell([timed(10, 0), deletion("orders+ID")]), [{ delays: [10], deletion: 40 }]);
  assert.deepEqual(tell([timed(10, 0), deletion("other+ID")]), [{ delays: [10] }]);
});

test("a retry on its way through a delay is its group's, and no delay of the message", () => {
  const message = copy("orders", 10);
  const back = copy("SCHEDULE_TOPIC_XXXX", 20, {
    REAL_TOPIC: "%RETRY%g",
    RETRY_TOPIC: "orders",
    DELAY: 3,
    ORIGIN_MESSAGE_ID: message.offsetMsgId,
  });
  assert.deepEqual(tell([message, back]), [{ message: 10, returns: { g: [20] } }]);
});

test("topics and groups of retries are told by what is known of groups, else by the name", () => {
  assert.equal(topicOf(copy("%RETRY%a_b+orders", 1)), "orders");
  assert.equal(topicOf(copy("%RETRY%a_b_orders", 1), ["a_b"]), "orders");
  assert.equal(topicOf(copy("%RETRY%a_b_orders", 1)), undefined);
  assert.equal(groupOf(copy("%RETRY%a_b_orders", 1), "orders", []), "a_b");
  assert.equal(groupOf(retry("a_orders", 1), "orders", []), "a_orders");
  assert.equal(groupOf(copy("%DLQ%a_orders", 1), "orders", []), "a_orders");
  assert.equal(groupOf(copy("orders", 1), "orders", ["g"]), undefined);
});
