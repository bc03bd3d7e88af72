/**
 * What dispatch needs to know of a record that is already encoded (RocketMQ: DispatchRequest): recovery and
 * replication read it from the bytes, an ordinary append knows it beforehand.
 */
import {
  bodyLengthAt,
  type EncodedProperties,
  getProperty,
  javaHash,
  MAGIC_V2,
  MessageConst,
  MessageSysFlag,
  RecordField,
  readInt64,
  storeTimestampAt,
  transactionType,
} from "@orbitmq/wire";
import { StoreError } from "../store-error.ts";

export const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";

export interface DispatchFields {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly sysFlag: number;
  readonly storeTimestamp: number;
  readonly tagsCode: number;
  readonly properties: string;
}

/** Whether a record becomes visible in its queue: half and rolled back messages of transactions do not. */
export function isDispatched(sysFlag: number): boolean {
  const type = transactionType(sysFlag);
  return type === MessageSysFlag.TRANSACTION_NOT_TYPE || type === MessageSysFlag.TRANSACTION_COMMIT_TYPE;
}

/** What a record's queue unit carries: the hash of TAGS (0 without), or the time of delivery in SCHEDULE_TOPIC_XXXX. */
export function tagsCodeOf(
  topic: string,
  properties: string | EncodedProperties,
  storeTimestamp: number,
  delaysMs: readonly number[],
): number {
  if (typeof properties !== "string") {
    if (topic !== SCHEDULE_TOPIC)
      return javaHashOf(properties.bytes, properties.tagsStart, properties.tagsEnd);
    return tagsCodeOf(topic, properties.text(), storeTimestamp, delaysMs);
  }
  if (topic === SCHEDULE_TOPIC) {
    const level = Number.parseInt(getProperty(properties, MessageConst.DELAY_TIME_LEVEL) ?? "", 10);
    const delayMs = level > 0 ? delaysMs[Math.min(level, delaysMs.length) - 1] : undefined;
    if (delayMs !== undefined) return storeTimestamp + delayMs;
  }
  const tags = getProperty(properties, MessageConst.TAGS);
  return tags === undefined ? 0 : javaHash(tags);
}

/** The hash of the text `bytes[start, end)`; 0 when `start` is -1. */
function javaHashOf(bytes: Buffer, start: number, end: number): number {
  if (start < 0) return 0;
  let hash = 0;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (byte > 0x7f) return javaHash(bytes.toString("utf8", start, end));
    hash = (Math.imul(31, hash) + byte) | 0;
  }
  return hash;
}

/** Reads the record at `bytes[at]`, which must have been checked. `delaysMs` by level, from {@link parseDelayLevels}. */
export function readDispatchFields(bytes: Buffer, at: number, delaysMs: readonly number[]): DispatchFields {
  const sysFlag = bytes.readInt32BE(at + RecordField.SYS_FLAG);
  const storeTimestamp = readInt64(bytes, at + storeTimestampAt(sysFlag));
  const bodyLength = at + bodyLengthAt(sysFlag);
  let topicAt = bodyLength + 4 + bytes.readInt32BE(bodyLength) + 1;
  let topicBytes = bytes[topicAt - 1]!;
  if (bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_V2) {
    topicBytes = bytes.readInt16BE(topicAt - 1);
    topicAt += 1;
  }
  const propertiesAt = topicAt + topicBytes + 2;
  const topic = bytes.toString("utf8", topicAt, topicAt + topicBytes);
  const properties = bytes.toString("utf8", propertiesAt, propertiesAt + bytes.readInt16BE(propertiesAt - 2));
  return {
    topic,
    queueId: bytes.readInt32BE(at + RecordField.QUEUE_ID),
    queueOffset: readInt64(bytes, at + RecordField.QUEUE_OFFSET),
    sysFlag,
    storeTimestamp,
    tagsCode: tagsCodeOf(topic, properties, storeTimestamp, delaysMs),
    properties,
  };
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `messageDelayLevel` as milliseconds, level 1 first. Throws StoreError ILLEGAL_OPTION. */
export function parseDelayLevels(text: string): number[] {
  return text
    .trim()
    .split(/\s+/)
    .map((level) => {
      const unitMs = UNITS_MS[level.slice(-1)];
      const count = Number(level.slice(0, -1));
      if (unitMs === undefined || !(count > 0)) {
        throw new StoreError("ILLEGAL_OPTION", `messageDelayLevel: ${level} is no delay such as 10s, 5m, 1h`);
      }
      return count * unitMs;
    });
}
