/**
 * Nanoseconds of processor time (so that a busy machine disturbs less) for each step a message's bytes go
 * through: `node --conditions=orbitmq-source --import tsx packages/wire/src/codecs.bench.ts [filter]`
 */
import {
  decodeSendMessageRequestHeader,
  type SendMessageRequestHeader,
  sendMessageResponseHeader,
  sendMessageV2RequestHeader,
} from "./commands/send-message.ts";
import { decodeCommand } from "./frame/decode-command.ts";
import { FrameDecoder } from "./frame/frame.ts";
import { FrameWriter, type OutgoingFrame } from "./frame/frame-writer.ts";
import { SERIALIZE_JSON, SERIALIZE_ROCKETMQ, type SerializeType } from "./frame/remoting-command.ts";
import { encodeHostBytes } from "./message/host-address.ts";
import { encodeOffsetMessageId, UniqueIdGenerator } from "./message/message-id.ts";
import { getProperty, parseProperties } from "./message/message-properties.ts";
import { type RecordInput, recordSize, writeRecord } from "./message/message-record.ts";
import { checkRecord, readRecord } from "./message/read-record.ts";

const [filter = ""] = process.argv.slice(2);
const RUNS = 200_000;
let kept: unknown;

function bench(what: string, step: (i: number) => unknown): void {
  if (!what.includes(filter)) return;
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 7; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < RUNS; i++) kept = step(i);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (1000 * (user + system)) / RUNS);
  }
  console.log(`${what.padEnd(48)} ${best.toFixed(0).padStart(6)} ns`);
}

const header: SendMessageRequestHeader = {
  producerGroup: "GID_orders",
  topic: "orders-topic",
  defaultTopic: "TBW102",
  defaultTopicQueueNums: 4,
  queueId: 3,
  sysFlag: 0,
  bornTimestamp: 1_763_730_000_123,
  flag: 0,
  properties: "UNIQ_KEY\u00017F00000100002A139A3C1F2B3C4D0001\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002",
  reconsumeTimes: 0,
  unitMode: false,
  maxReconsumeTimes: 0,
  batch: false,
  brokerName: "broker-a",
};
const body = Buffer.alloc(128, "a");
const writer = new FrameWriter();

function request(serializeType: SerializeType): OutgoingFrame {
  return {
    serializeType,
    code: 310,
    language: 13,
    version: 513,
    opaque: 77,
    flag: 0,
    header: (sink) => sendMessageV2RequestHeader.encode(header, sink),
    body: [body],
  };
}

function response(serializeType: SerializeType): OutgoingFrame {
  const value = {
    msgId: "7F00000100002A9F00000000000F4240",
    queueId: 3,
    queueOffset: 123_456,
    transactionId: "7F00000100002A139A3C1F2B3C4D0001",
    TRACE_ON: true,
    MSG_REGION: "DefaultRegion",
  };
  const encode: OutgoingFrame["header"] = (sink) => sendMessageResponseHeader.encode(value, sink);
  return { ...request(serializeType), code: 0, flag: 1, header: encode, body: undefined };
}

function bytesOf(frame: OutgoingFrame): Buffer {
  const single = new FrameWriter();
  single.frame(frame);
  return Buffer.concat(single.take()!.slices);
}

function write(frame: OutgoingFrame): (i: number) => void {
  return (i) => {
    writer.frame(frame);
    if (i % 64 === 0) writer.take()!.release();
  };
}

for (const [encoding, serializeType] of [
  ["ROCKETMQ", SERIALIZE_ROCKETMQ],
  ["JSON", SERIALIZE_JSON],
] as const) {
  const frame = bytesOf(request(serializeType));
  bench(`decodeCommand, ${encoding} send`, () => decodeCommand(frame));
  bench(`decodeCommand and header, ${encoding} send`, () =>
    decodeSendMessageRequestHeader(310, decodeCommand(frame).ext),
  );
  bench(`write send request of 128 B, ${encoding}`, write(request(serializeType)));
  bench(`write send response, ${encoding}`, write(response(serializeType)));
}

const chunk = Buffer.concat(new Array<Buffer>(64).fill(bytesOf(request(SERIALIZE_ROCKETMQ))));
const decoder = new FrameDecoder((_buffer, start, end) => {
  kept = end - start;
});
bench("FrameDecoder.feed, 64 frames", () => decoder.feed(chunk));

const host = encodeHostBytes({ host: "127.0.0.1", port: 10_911 });
const record: RecordInput = {
  topic: header.topic,
  queueId: 3,
  flag: 0,
  sysFlag: 0,
  bornTimestamp: header.bornTimestamp,
  bornHost: host,
  storeHost: host,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body,
  properties: `${header.properties}CLUSTER\u0001DefaultCluster\u0002MSG_REGION\u0001DefaultRegion\u0002TRACE_ON\u0001true\u0002`,
};
const slab = Buffer.alloc(512 * 1024);
const position = { queueOffset: 5, physicalOffset: 1e10, storeTimestamp: 1_763_730_000_200 };
bench("recordSize, 128 B", () => recordSize(record));
bench("writeRecord, 128 B", (i) => writeRecord(record, slab, (i & 1023) * 512, position));
bench("readRecord", () => readRecord(slab, 0));
bench("readRecord with checksum", () => readRecord(slab, 0, slab.length, { checkCrc: true }));
bench("checkRecord", () => checkRecord(slab, 0, slab.length));
bench("parseProperties", () => parseProperties(record.properties));
bench("getProperty", () => getProperty(record.properties, "TAGS"));
const ids = new UniqueIdGenerator({
  address: host.subarray(0, 4),
  pid: 1,
  instance: 7,
  counterStart: 3,
  nowMs: () => 1_763_730_000_200,
});
bench("UniqueIdGenerator.next", () => ids.next());
bench("encodeOffsetMessageId", (i) => encodeOffsetMessageId(host, 1e10 + i));
process.exitCode = kept === undefined ? 1 : 0;
