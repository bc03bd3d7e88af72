/**
 * One message record, the same bytes on disk and in pull responses (RocketMQ: MessageExtEncoder,
 * MessageDecoder). Grammar, big-endian:
 *
 *   totalSize:i32 magic:i32 bodyCrc:i32 queueId:i32 flag:i32 queueOffset:i64 physicalOffset:i64 sysFlag:i32
 *   bornTimestamp:i64 bornHost:(8|20) storeTimestamp:i64 storeHost:(8|20) reconsumeTimes:i32
 *   preparedTransactionOffset:i64 bodyLength:i32 body topicLength:(u8 in V1 | i16 in V2) topic
 *   propertiesLength:i16 properties
 *
 * This file writes; read-record reads and checks.
 */
import { assert } from "@orbitmq/host";
import { readInt32, writeInt16, writeInt32, writeInt64 } from "../bytes/big-endian.ts";
import { WireError } from "../wire-error.ts";
import { bodyCrc } from "./crc32.ts";
import type { EncodedProperties } from "./encoded-properties.ts";
import { MessageSysFlag } from "./sys-flag.ts";

export const MAGIC_V1 = 0xdaa320a7 | 0;
export const MAGIC_V2 = 0xdaa320ab | 0;
/** Fills the rest of a CommitLog segment that cannot hold the next record. */
export const MAGIC_BLANK = 0xcbd43194 | 0;

/** What a record is written from. Byte views must stay valid until it is encoded. */
export interface RecordSource {
  readonly topic: string;
  readonly queueId: number;
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  /** 8 or 20 bytes: address and port; the sysFlag bits for IPv6 follow from the length. */
  readonly bornHost: Uint8Array;
  readonly storeHost: Uint8Array;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly body: Uint8Array;
  /** `name \u0001 value \u0002` repeated; see message-properties. Bytes as they came are stored as they are. */
  readonly properties: string | EncodedProperties;
}

/** A record before offsets are assigned. */
export interface RecordInput extends RecordSource {
  readonly properties: string;
}

/** A record read back. `body` is a view into the source buffer. */
export interface MessageRecord extends RecordInput {
  readonly totalSize: number;
  readonly magic: number;
  readonly bodyCrc: number;
  readonly queueOffset: number;
  readonly physicalOffset: number;
  readonly storeTimestamp: number;
}

/** What the log assigns when it appends. */
export interface RecordPosition {
  readonly queueOffset: number;
  readonly physicalOffset: number;
  /** Wall ms. */
  readonly storeTimestamp: number;
}

/** Where the fields before bornHost lie in a record; see {@link storeTimestampAt} and {@link bodyLengthAt}. */
export const RecordField = {
  TOTAL_SIZE: 0,
  MAGIC: 4,
  BODY_CRC: 8,
  QUEUE_ID: 12,
  FLAG: 16,
  QUEUE_OFFSET: 20,
  PHYSICAL_OFFSET: 28,
  SYS_FLAG: 36,
  BORN_TIMESTAMP: 40,
  BORN_HOST: 48,
} as const;

/** A V1 record with IPv4 hosts and nothing in it. */
export const RECORD_BYTES_MIN = 91;
/** Longer topics need a V2 record. */
const V1_TOPIC_BYTES_MAX = 127;
const TOPIC_BYTES_MAX = 32_767;
const PROPERTIES_BYTES_MAX = 32_767;
/** A record without hosts, topic length field, and the variable parts. */
const FIXED_BYTES = RECORD_BYTES_MIN - 8 - 8 - 1;

function hostBytes(isV6: boolean): 8 | 20 {
  return isV6 ? 20 : 8;
}

/** Where storeTimestamp lies in a record with this sysFlag. */
export function storeTimestampAt(sysFlag: number): number {
  return RecordField.BORN_HOST + hostBytes((sysFlag & MessageSysFlag.BORNHOST_V6) !== 0);
}

/** Where bodyLength lies in a record with this sysFlag; the body follows it. */
export function bodyLengthAt(sysFlag: number): number {
  return storeTimestampAt(sysFlag) + 8 + hostBytes((sysFlag & MessageSysFlag.STOREHOST_V6) !== 0) + 12;
}

/**
 * The bytes `input` takes as a record. Throws WireError RECORD_MALFORMED when the topic is longer than 32,767
 * bytes, PROPERTIES_MALFORMED when the properties are.
 */
export function recordSize(input: RecordSource): number {
  const { properties } = input;
  const topicBytes = utf8Length(input.topic);
  const propertiesBytes =
    typeof properties === "string" ? Buffer.byteLength(properties, "utf8") : properties.byteLength;
  if (topicBytes > TOPIC_BYTES_MAX) {
    throw new WireError("RECORD_MALFORMED", `a topic of ${topicBytes} bytes exceeds ${TOPIC_BYTES_MAX}`);
  }
  if (propertiesBytes > PROPERTIES_BYTES_MAX) {
    throw new WireError(
      "PROPERTIES_MALFORMED",
      `properties of ${propertiesBytes} bytes exceed ${PROPERTIES_BYTES_MAX}`,
    );
  }
  const topicLengthBytes = topicBytes > V1_TOPIC_BYTES_MAX ? 2 : 1;
  return (
    FIXED_BYTES +
    input.bornHost.length +
    input.storeHost.length +
    input.body.length +
    topicLengthBytes +
    topicBytes +
    propertiesBytes
  );
}

/**
 * Writes `input` as a record at `into[at]` and returns its size, which {@link recordSize} has told before:
 * there must be room for it. The version is V2 exactly when the topic is longer than 127 bytes.
 */
export function writeRecord(input: RecordSource, into: Buffer, at: number, position: RecordPosition): number {
  const { bornHost, storeHost, body } = input;
  assert(bornHost.length === 8 || bornHost.length === 20, "a born host has 8 or 20 bytes");
  assert(storeHost.length === 8 || storeHost.length === 20, "a store host has 8 or 20 bytes");
  let sysFlag = input.sysFlag & ~(MessageSysFlag.BORNHOST_V6 | MessageSysFlag.STOREHOST_V6);
  if (bornHost.length === 20) sysFlag |= MessageSysFlag.BORNHOST_V6;
  if (storeHost.length === 20) sysFlag |= MessageSysFlag.STOREHOST_V6;
  writeInt32(into, bodyCrc(body), at + RecordField.BODY_CRC);
  writeInt32(into, input.queueId, at + RecordField.QUEUE_ID);
  writeInt32(into, input.flag, at + RecordField.FLAG);
  writeInt64(into, position.queueOffset, at + RecordField.QUEUE_OFFSET);
  writeInt64(into, position.physicalOffset, at + RecordField.PHYSICAL_OFFSET);
  writeInt32(into, sysFlag, at + RecordField.SYS_FLAG);
  writeInt64(into, input.bornTimestamp, at + RecordField.BORN_TIMESTAMP);
  let next = at + RecordField.BORN_HOST;
  next = writeBytes(into, bornHost, next);
  writeInt64(into, position.storeTimestamp, next);
  next = writeBytes(into, storeHost, next + 8);
  writeInt32(into, input.reconsumeTimes, next);
  writeInt64(into, input.preparedTransactionOffset, next + 4);
  writeInt32(into, body.length, next + 12);
  into.set(body, next + 16);
  next += 16 + body.length;
  let topicBytes = writeText(into, input.topic, next + 1);
  if (topicBytes > V1_TOPIC_BYTES_MAX) {
    topicBytes = into.write(input.topic, next + 2, "utf8");
    writeInt32(into, MAGIC_V2, at + RecordField.MAGIC);
    writeInt16(into, topicBytes, next);
    next += 2 + topicBytes;
  } else {
    writeInt32(into, MAGIC_V1, at + RecordField.MAGIC);
    into[next] = topicBytes;
    next += 1 + topicBytes;
  }
  const { properties } = input;
  const propertiesBytes =
    typeof properties === "string"
      ? into.write(properties, next + 2, "utf8")
      : properties.write(into, next + 2) - next - 2;
  writeInt16(into, propertiesBytes, next);
  next += 2 + propertiesBytes;
  const size = next - at;
  // Text that does not fit is cut off at a character without a word: near the end the record is measured again.
  assert(next + 4 <= into.length || recordSize(input) === size, "there is room for the record");
  writeInt32(into, size, at + RecordField.TOTAL_SIZE);
  return size;
}

/** Beyond this many characters the engine's own UTF-8 functions beat a loop. */
const LOOP_CHARACTERS_MAX = 64;

function utf8Length(text: string): number {
  const { length } = text;
  if (length > LOOP_CHARACTERS_MAX) return Buffer.byteLength(text, "utf8");
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text, "utf8");
  return length;
}

/** Returns how many bytes were written: fewer than there are when they do not fit. */
function writeText(into: Buffer, text: string, at: number): number {
  const { length } = text;
  if (length > LOOP_CHARACTERS_MAX || at + length > into.length) return into.write(text, at, "utf8");
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) return into.write(text, at, "utf8");
    into[at + i] = unit;
  }
  return length;
}

/** Addresses are a few bytes: a loop beats `set`. */
function writeBytes(into: Buffer, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < bytes.length; i++) into[at + i] = bytes[i]!;
  return at + bytes.length;
}

/** Overwrites what the log assigns in a record already written at `buffer[at]`. */
export function patchRecord(buffer: Buffer, at: number, position: RecordPosition): void {
  const sysFlag = readInt32(buffer, at + RecordField.SYS_FLAG);
  writeInt64(buffer, position.queueOffset, at + RecordField.QUEUE_OFFSET);
  writeInt64(buffer, position.physicalOffset, at + RecordField.PHYSICAL_OFFSET);
  writeInt64(buffer, position.storeTimestamp, at + storeTimestampAt(sysFlag));
}

/** Writes the head of a blank that fills `bytes` (≥ 8) of a segment; what follows in it is undefined. */
export function writeBlank(into: Buffer, at: number, bytes: number): void {
  writeInt32(into, bytes, at);
  writeInt32(into, MAGIC_BLANK, at + RecordField.MAGIC);
}
