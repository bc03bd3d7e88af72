/**
 * Reads and checks message records; the grammar is in message-record. Reading throws on what is malformed,
 * checking never does: recovery meets torn records, zeros and garbage as a matter of course.
 */

import { readInt16, readInt32, readInt64 } from "../bytes/big-endian.ts";
import { decodeName } from "../frame/name-table.ts";
import { WireError } from "../wire-error.ts";
import { bodyCrcBetween } from "./crc32.ts";
import type { EncodedProperties } from "./encoded-properties.ts";
import { MessageConst, NAME_VALUE_SEPARATOR, PROPERTY_SEPARATOR } from "./message-properties.ts";
import {
  bodyLengthAt,
  MAGIC_BLANK,
  MAGIC_V1,
  MAGIC_V2,
  type MessageRecord,
  RECORD_BYTES_MIN,
  RecordField,
  storeTimestampAt,
} from "./message-record.ts";

/**
 * What lies at a place in the log.
 *
 * - `record`: a whole, valid record of `size` bytes.
 * - `blank`: nothing more in this segment; `size` is what the blank claims to fill.
 * - `zero`: eight zero bytes, as after the last record of a segment zeroed ahead.
 * - `short`: begins like a record (or blank) of `size` bytes, which reaches beyond `limit`.
 * - `bad`: neither; `reason` says why.
 */
export type RecordCheck =
  | { readonly kind: "record" | "blank" | "short"; readonly size: number }
  | { readonly kind: "zero" }
  | { readonly kind: "bad"; readonly reason: string };

export interface CheckOptions {
  /** Compare the body with its checksum; default true. */
  readonly checkCrc?: boolean;
  /** What the record's own physicalOffset must be; default: anything. */
  readonly physicalOffset?: number;
}

/** Where the parts of a record lie; filled by {@link locate} and {@link locateWhole}, valid until the next call of either. */
export const parts = { bodyAt: 0, bodyEnd: 0, topicAt: 0, topicEnd: 0, propertiesAt: 0, end: 0 };

/** Fills `parts` for the record at `at`; returns what is wrong, if anything. At least 91 bytes must be there. */
function locate(buffer: Buffer, at: number, end: number, magic: number): string | undefined {
  const lengthAt = at + bodyLengthAt(readInt32(buffer, at + RecordField.SYS_FLAG));
  const topicLengthBytes = magic === MAGIC_V2 ? 2 : 1;
  if (lengthAt + 4 + topicLengthBytes + 2 > end) return "it is too short for its hosts";
  const bodyLength = readInt32(buffer, lengthAt);
  parts.bodyAt = lengthAt + 4;
  if (bodyLength < 0 || bodyLength > end - parts.bodyAt - topicLengthBytes - 2) {
    return `its body has length ${bodyLength}`;
  }
  parts.bodyEnd = parts.bodyAt + bodyLength;
  const topicLength = topicLengthBytes === 2 ? readInt16(buffer, parts.bodyEnd) : buffer[parts.bodyEnd]!;
  parts.topicAt = parts.bodyEnd + topicLengthBytes;
  if (topicLength < 0 || topicLength > end - parts.topicAt - 2) return `its topic has length ${topicLength}`;
  parts.topicEnd = parts.topicAt + topicLength;
  const propertiesLength = readInt16(buffer, parts.topicEnd);
  parts.propertiesAt = parts.topicEnd + 2;
  parts.end = parts.propertiesAt + propertiesLength;
  if (propertiesLength < 0 || parts.end !== end) return `its properties have length ${propertiesLength}`;
  return undefined;
}

function bad(reason: string): RecordCheck {
  return { kind: "bad", reason };
}

/** What lies at `buffer[at, limit)`. Never throws, whatever the bytes. */
export function checkRecord(
  buffer: Buffer,
  at: number,
  limit: number,
  options: CheckOptions = {},
): RecordCheck {
  if (limit - at < 8) return { kind: "short", size: 8 };
  const size = readInt32(buffer, at);
  const magic = readInt32(buffer, at + RecordField.MAGIC);
  if (magic === MAGIC_BLANK) {
    if (size < 8) return bad(`a blank of ${size} bytes`);
    return { kind: size > limit - at ? "short" : "blank", size };
  }
  if (size === 0 && magic === 0) return { kind: "zero" };
  if (magic !== MAGIC_V1 && magic !== MAGIC_V2) return bad("its magic is unknown");
  if (size < RECORD_BYTES_MIN) return bad(`its size is ${size}`);
  if (size > limit - at) return { kind: "short", size };
  const wrong = locate(buffer, at, at + size, magic);
  if (wrong !== undefined) return bad(wrong);
  const { physicalOffset, checkCrc = true } = options;
  if (physicalOffset !== undefined) {
    const own = readInt64(buffer, at + RecordField.PHYSICAL_OFFSET);
    if (own !== physicalOffset) return bad(`it says it lies at ${own}, not at ${physicalOffset}`);
  }
  if (checkCrc && !crcMatches(buffer, at)) return bad("its checksum does not match");
  return { kind: "record", size };
}

function crcMatches(buffer: Buffer, at: number): boolean {
  return bodyCrcBetween(buffer, parts.bodyAt, parts.bodyEnd) === readInt32(buffer, at + RecordField.BODY_CRC);
}

export interface ReadOptions {
  /** Compare the body with its checksum; default false. */
  readonly checkCrc?: boolean;
}

/**
 * The record at `buffer[at]`; body and hosts are views. `limit` defaults to the buffer's end.
 * Throws WireError RECORD_MALFORMED, or RECORD_CRC_MISMATCH when asked to compare.
 */
export function readRecord(
  buffer: Buffer,
  at = 0,
  limit: number = buffer.length,
  options: ReadOptions = {},
): MessageRecord {
  const magic = locateWhole(buffer, at, limit);
  const totalSize = readInt32(buffer, at);
  if (options.checkCrc === true && !crcMatches(buffer, at)) {
    throw new WireError("RECORD_CRC_MISMATCH", `the record at ${at} does not match its checksum`);
  }
  const sysFlag = readInt32(buffer, at + RecordField.SYS_FLAG);
  const storeAt = at + storeTimestampAt(sysFlag);
  const { bodyAt } = parts;
  return {
    totalSize,
    magic,
    bodyCrc: readInt32(buffer, at + RecordField.BODY_CRC),
    topic: decodeName(buffer, parts.topicAt, parts.topicEnd),
    queueId: readInt32(buffer, at + RecordField.QUEUE_ID),
    flag: readInt32(buffer, at + RecordField.FLAG),
    queueOffset: offsetAt(buffer, at + RecordField.QUEUE_OFFSET, at),
    physicalOffset: offsetAt(buffer, at + RecordField.PHYSICAL_OFFSET, at),
    sysFlag,
    bornTimestamp: readInt64(buffer, at + RecordField.BORN_TIMESTAMP),
    bornHost: buffer.subarray(at + RecordField.BORN_HOST, storeAt),
    storeTimestamp: readInt64(buffer, storeAt),
    storeHost: buffer.subarray(storeAt + 8, bodyAt - 16),
    reconsumeTimes: readInt32(buffer, bodyAt - 16),
    preparedTransactionOffset: readInt64(buffer, bodyAt - 12),
    body: buffer.subarray(bodyAt, parts.bodyEnd),
    properties: buffer.toString("utf8", parts.propertiesAt, parts.end),
  };
}

/** What of a record stays the same when its message is stored again. */
export interface RecordContent {
  readonly flag: number;
  readonly sysFlag: number;
  readonly bornTimestamp: number;
  readonly bornHost: Uint8Array;
  readonly reconsumeTimes: number;
  readonly body: Uint8Array;
}

/**
 * The content of the record at `buffer[at]`, as views; `properties` is filled with the record's, but for the
 * `__CRC32#` that ends them. Throws as {@link readRecord}.
 */
export function readContent(buffer: Buffer, at: number, properties: EncodedProperties): RecordContent {
  locateWhole(buffer, at, buffer.length);
  const { bodyAt, bodyEnd, propertiesAt, end } = parts;
  const sysFlag = readInt32(buffer, at + RecordField.SYS_FLAG);
  const checksumAt = end - CHECKSUM_BYTES;
  properties.read(buffer, propertiesAt, isChecksum(buffer, checksumAt, propertiesAt) ? checksumAt : end);
  return {
    flag: readInt32(buffer, at + RecordField.FLAG),
    sysFlag,
    bornTimestamp: readInt64(buffer, at + RecordField.BORN_TIMESTAMP),
    bornHost: buffer.subarray(at + RecordField.BORN_HOST, at + storeTimestampAt(sysFlag)),
    reconsumeTimes: readInt32(buffer, bodyAt - 16),
    body: buffer.subarray(bodyAt, bodyEnd),
  };
}

/** Whether a property `__CRC32#` begins at `at`, one of those from `start` on. */
function isChecksum(buffer: Buffer, at: number, start: number): boolean {
  if (at < start || (at > start && buffer[at - 1] !== VALUE_END)) return false;
  for (let i = 0; i < CHECKSUM.length; i++) if (buffer[at + i] !== CHECKSUM[i]) return false;
  return true;
}

const VALUE_END = PROPERTY_SEPARATOR.charCodeAt(0);
const CHECKSUM = Buffer.from(MessageConst.CRC32 + NAME_VALUE_SEPARATOR);
/** With ten digits and the separator. */
const CHECKSUM_BYTES = CHECKSUM.length + 11;

/** Fills `parts` for the record at `at`; returns its magic. Throws as {@link readRecord}. */
export function locateWhole(buffer: Buffer, at: number, limit: number): number {
  if (limit - at < RECORD_BYTES_MIN) throw malformed(at, "it is cut off");
  const totalSize = readInt32(buffer, at);
  const magic = readInt32(buffer, at + RecordField.MAGIC);
  if (magic !== MAGIC_V1 && magic !== MAGIC_V2) throw malformed(at, "its magic is unknown");
  if (totalSize < RECORD_BYTES_MIN || totalSize > limit - at) throw malformed(at, `its size is ${totalSize}`);
  const wrong = locate(buffer, at, at + totalSize, magic);
  if (wrong !== undefined) throw malformed(at, wrong);
  return magic;
}

/** A 64-bit offset of the record at `at`. Throws WireError RECORD_MALFORMED for one beyond 2^53. */
export function offsetAt(buffer: Buffer, fieldAt: number, at: number): number {
  const value = readInt64(buffer, fieldAt);
  if (!Number.isSafeInteger(value)) throw malformed(at, `it has the offset ${value}`);
  return value;
}

/** All records of a pull response's body, in order. Throws as {@link readRecord}. */
export function readRecords(buffer: Buffer, options: ReadOptions = {}): MessageRecord[] {
  const records: MessageRecord[] = [];
  for (let at = 0; at < buffer.length; ) {
    const record = readRecord(buffer, at, buffer.length, options);
    records.push(record);
    at += record.totalSize;
  }
  return records;
}

function malformed(at: number, what: string): WireError {
  return new WireError("RECORD_MALFORMED", `the record at ${at} cannot be read: ${what}`);
}
