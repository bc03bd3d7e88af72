import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatReceiptHandle,
  getProperty,
  type MessageRecord,
  type PopMessageResponseHeader,
} from "@orbitmq/wire";
import { readPopped } from "./popped-message.ts";

const record = (queueId: number, queueOffset: number, properties = "", topic = "orders") =>
  ({ topic, queueId, queueOffset, properties, reconsumeTimes: 0 }) as unknown as MessageRecord;

const header = (part: Partial<PopMessageResponseHeader>): PopMessageResponseHeader => ({
  popTime: 1_000,
  invisibleTime: 60_000,
  reviveQid: 3,
  restNum: 0,
  startOffsetInfo: undefined,
  msgOffsetInfo: undefined,
  orderCountInfo: undefined,
  ...part,
});
const handles = (records: readonly MessageRecord[], part: Partial<PopMessageResponseHeader>) =>
  readPopped(records, header(part), "orders", "broker-a").map(({ handle }) => formatReceiptHandle(handle));

test("handles come from the answer's offsets, queue by queue", () => {
  assert.deepEqual(
    handles([record(0, 5), record(1, 7), record(0, 6)], {
      startOffsetInfo: "0 0 5;0 1 7",
      msgOffsetInfo: "0 0 5,6;0 1 7",
    }),
    ["5 1000 60000 3 0 broker-a 0 5", "7 1000 60000 3 0 broker-a 1 7", "5 1000 60000 3 0 broker-a 0 6"],
  );
});

test("a broker without offset lists means the first message of each queue", () => {
  assert.deepEqual(handles([record(0, 9), record(0, 8)], {}), [
    "8 1000 60000 3 0 broker-a 0 9",
    "8 1000 60000 3 0 broker-a 0 8",
  ]);
});

test("a message that comes again brings its own handle, and is of the topic asked for", () => {
  const carried = "40 900 60000 2 1 broker-a 0 41";
  const [again] = readPopped(
    [record(0, 41, `POP_CK\u0001${carried}\u00021ST_POP_TIME\u0001500\u0002`, "%RETRY%g_orders")],
    header({ startOffsetInfo: "0 0 5", msgOffsetInfo: "0 0 5" }),
    "orders",
    "broker-a",
  );
  assert.equal(formatReceiptHandle(again!.handle), carried);
  assert.equal(again!.record.topic, "orders");
  assert.equal(getProperty(again!.record.properties, "1ST_POP_TIME"), "500");
});

test("what lies in a retry topic without a handle is of that topic's type", () => {
  assert.deepEqual(
    handles([record(0, 2, "", "%RETRY%g+orders")], { startOffsetInfo: "2 0 1", msgOffsetInfo: "2 0 2" }),
    ["1 1000 60000 3 2 broker-a 0 2"],
  );
});

test("popped in order, a message tells how often it was popped before", () => {
  const times = (orderCountInfo: string) =>
    readPopped([record(0, 5), record(0, 6)], header({ orderCountInfo }), "orders", "b").map(
      (popped) => popped.record.reconsumeTimes,
    );
  assert.deepEqual(times("0 0 2"), [2, 2]);
  assert.deepEqual(times("0 0 0;0 qo0%6 4"), [0, 4]);
});

test("the first pop's time and the handle are among the properties", () => {
  const [popped] = readPopped([record(0, 5, "a\u0001b\u0002")], header({}), "orders", "broker-a");
  assert.equal(getProperty(popped!.record.properties, "1ST_POP_TIME"), "1000");
  assert.equal(getProperty(popped!.record.properties, "POP_CK"), "5 1000 60000 3 0 broker-a 0 5");
  assert.equal(getProperty(popped!.record.properties, "a"), "b");
});
