/**
 * The records of a pop: which queue offsets they have, and how those of a retry topic are written for the consumer:
 * with the topic it asked for, and their handle as POP_CK (RocketMQ: PopMessageProcessor.popMsgFromQueue).
 */
import { assert } from "@orbitmq/host";
import {
  formatReceiptHandle,
  MessageConst,
  type MessageRecord,
  popTopicTypeOf,
  readInt32,
  readInt64,
  readRecord,
  recordSize,
  writeRecord,
} from "@orbitmq/wire";
import { withProperties } from "../sending/property-text.ts";

const QUEUE_OFFSET_AT = 20;
const PROPERTIES_BYTES_MAX = 32_767;

/** The queue offsets of whole records, in order. */
export function queueOffsetsOf(slices: readonly Uint8Array[]): number[] {
  const offsets: number[] = [];
  for (const slice of slices) {
    const bytes = bufferOf(slice);
    for (let at = 0; at < bytes.length; ) {
      const size = readInt32(bytes, at);
      assert(size > QUEUE_OFFSET_AT && at + size <= bytes.length, "a slice holds whole records");
      offsets.push(readInt64(bytes, at + QUEUE_OFFSET_AT));
      at += size;
    }
  }
  return offsets;
}

/** The records of a read, decoded. */
export function recordsOf(slices: readonly Uint8Array[]): MessageRecord[] {
  const records: MessageRecord[] = [];
  for (const slice of slices) {
    const bytes = bufferOf(slice);
    for (let at = 0; at < bytes.length; ) {
      const record = readRecord(bytes, at);
      records.push(record);
      at += record.totalSize;
    }
  }
  return records;
}

export interface PoppedFrom {
  /** What the consumer asked for. */
  readonly topic: string;
  readonly startOffset: number;
  readonly popTime: number;
  readonly invisibleTime: number;
  readonly reviveQueueId: number;
  readonly brokerName: string;
}

/** A record of a retry topic as the consumer gets it. */
export function retryRecord(record: MessageRecord, from: PoppedFrom): Uint8Array {
  const handle = formatReceiptHandle({
    startOffset: from.startOffset,
    popTime: from.popTime,
    invisibleTime: from.invisibleTime,
    reviveQueueId: from.reviveQueueId,
    topicType: popTopicTypeOf(record.topic),
    brokerName: from.brokerName,
    queueId: record.queueId,
    offset: record.queueOffset,
  });
  const properties = withProperties(record.properties, {
    // It was made for other bytes.
    [MessageConst.CRC32]: undefined,
    [MessageConst.POP_CK]: handle,
  });
  assert(Buffer.byteLength(properties) <= PROPERTIES_BYTES_MAX, "a handle fits into the properties");
  const sent = { ...record, topic: from.topic, properties };
  const bytes = Buffer.alloc(recordSize(sent));
  writeRecord(sent, bytes, 0, record);
  return bytes;
}

function bufferOf(slice: Uint8Array): Buffer {
  return Buffer.from(slice.buffer, slice.byteOffset, slice.length);
}
