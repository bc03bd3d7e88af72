import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHostBytes, formatProperties, recordSize, viewRecords, writeRecord } from "@orbitmq/wire";
import { plainMetadata } from "../../message/received-message.ts";
import { Namespace, NO_NAMESPACE } from "../../names/namespace.ts";
import { RecordMetadata } from "./record-metadata.ts";

const QUEUE = { topic: "%RETRY%space%g", brokerName: "broker-a", queueId: 3 };

function recordOf(topic: string, properties: readonly (readonly [string, string])[]) {
  const input = {
    topic,
    queueId: 3,
    flag: 8,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_123,
    bornHost: encodeHostBytes({ host: "192.0.2.7", port: 51_234 }),
    storeHost: encodeHostBytes({ host: "10.0.0.1", port: 10_911 }),
    reconsumeTimes: 2,
    preparedTransactionOffset: 0,
    body: Buffer.from("hello"),
    properties: formatProperties(properties),
  };
  const bytes = Buffer.alloc(recordSize(input));
  writeRecord(input, bytes, 0, {
    queueOffset: 41,
    physicalOffset: 2 ** 40 + 1,
    storeTimestamp: 1_700_000_000_456,
  });
  return viewRecords(bytes)[0]!;
}

test("everything a listener may ask is what the record says", () => {
  const record = recordOf("%RETRY%space%g", [
    ["RETRY_TOPIC", "space%orders"],
    ["KEYS", " k1  k2 "],
    ["TAGS", "new"],
    ["UNIQ_KEY", "0A"],
    ["__CRC32#", "0123456789"],
  ]);
  const metadata = new RecordMetadata(record, QUEUE, 1, new Namespace("space"));
  assert.deepEqual(plainMetadata(metadata), {
    topic: "orders",
    queue: { topic: "%RETRY%g", brokerName: "broker-a", queueId: 3 },
    queueOffset: 41,
    physicalOffset: 2 ** 40 + 1,
    msgId: "0A",
    offsetMsgId: "0A00000100002A9F0000010000000001",
    tag: "new",
    keys: ["k1", "k2"],
    properties: { RETRY_TOPIC: "space%orders", KEYS: " k1  k2 ", TAGS: "new", UNIQ_KEY: "0A" },
    flag: 8,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_123,
    storeTimestamp: 1_700_000_000_456,
    bornHost: "192.0.2.7:51234",
    storeHost: "10.0.0.1:10911",
    reconsumeTimes: 3,
    storeSize: record.totalSize,
  });
  assert.equal(metadata.properties, metadata.properties);
  assert.equal(metadata.keys, metadata.keys);
});

test("a message without properties has no tag, no keys, and the id that says where it lies", () => {
  const { msgId, offsetMsgId, tag, keys, properties } = new RecordMetadata(
    recordOf("orders", []),
    QUEUE,
    0,
    NO_NAMESPACE,
  );
  assert.equal(msgId, offsetMsgId);
  assert.deepEqual([tag, keys, properties], [undefined, [], {}]);
});
