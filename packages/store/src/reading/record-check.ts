/** Whether bytes that came from disk are the record that a queue unit promises. */
import {
  bodyLengthAt,
  checkRecord,
  MAGIC_V1,
  MAGIC_V2,
  RecordField,
  readInt16,
  readInt32,
  readInt64,
} from "@orbitmq/wire";
import { checkSeal } from "../commit-log/record-seal.ts";

/** What a record must say of itself. */
export interface Expected {
  readonly queueId: number;
  /** The topic in UTF-8. */
  readonly topicBytes: Uint8Array;
}

/** Why there is no whole, undamaged record of `size` bytes for `position` at `bytes[at]`; `undefined` when there is. */
export function whatIsDamaged(bytes: Buffer, at: number, size: number, position: number): string | undefined {
  const check = checkRecord(bytes, at, at + size, { physicalOffset: position, checkCrc: false });
  if (check.kind !== "record") return check.kind === "bad" ? check.reason : `there is a ${check.kind} record`;
  if (check.size !== size) return `it has ${check.size} bytes, its queue unit says ${size}`;
  const seal = checkSeal(bytes, at, size);
  if (seal === "wrong") return "its __CRC32# does not match";
  // A seal is over the body, too, and over the body's own checksum.
  if (seal === "valid") return undefined;
  const body = checkRecord(bytes, at, at + size, { checkCrc: true });
  return body.kind === "bad" ? body.reason : undefined;
}

/**
 * Whether the record of `size` bytes at `bytes[at]` is sealed, undamaged and the one its queue unit promises, told
 * without a word and without an allocation. False says only that `whatIsWrong` has to look: a record may have no seal.
 */
export function isPromised(
  bytes: Buffer,
  at: number,
  size: number,
  position: number,
  offset: number,
  { queueId, topicBytes }: Expected,
): boolean {
  const magic = readInt32(bytes, at + RecordField.MAGIC);
  if (readInt32(bytes, at + RecordField.TOTAL_SIZE) !== size || (magic !== MAGIC_V1 && magic !== MAGIC_V2)) {
    return false;
  }
  if (
    readInt64(bytes, at + RecordField.PHYSICAL_OFFSET) !== position ||
    readInt64(bytes, at + RecordField.QUEUE_OFFSET) !== offset ||
    readInt32(bytes, at + RecordField.QUEUE_ID) !== queueId
  ) {
    return false;
  }
  const bodyLength = at + bodyLengthAt(readInt32(bytes, at + RecordField.SYS_FLAG));
  const bodyBytes = readInt32(bytes, bodyLength);
  if (bodyBytes < 0 || bodyBytes > size) return false;
  const topicAt = bodyLength + 4 + bodyBytes + (magic === MAGIC_V2 ? 2 : 1);
  const { length } = topicBytes;
  const named = magic === MAGIC_V2 ? readInt16(bytes, topicAt - 2) : bytes[topicAt - 1]!;
  if (named !== length || topicAt + length + 2 + readInt16(bytes, topicAt + length) !== at + size)
    return false;
  for (let index = 0; index < length; index += 1)
    if (bytes[topicAt + index] !== topicBytes[index]) return false;
  return checkSeal(bytes, at, size) === "valid";
}

/** Why the record of `size` bytes at `bytes[at]` is not the one its queue unit promises; `undefined` when it is. */
export function whatIsWrong(
  bytes: Buffer,
  at: number,
  size: number,
  position: number,
  offset: number,
  queue: Expected,
): string | undefined {
  const damage = whatIsDamaged(bytes, at, size, position);
  if (damage !== undefined) return damage;
  if (bytes.readInt32BE(at + RecordField.QUEUE_ID) !== queue.queueId) return "it belongs to another queue";
  const own = readInt64(bytes, at + RecordField.QUEUE_OFFSET);
  if (own !== offset) return `it has queue offset ${own}, its unit is ${offset}`;
  return hasTopic(bytes, at, queue.topicBytes) ? undefined : "it belongs to another topic";
}

function hasTopic(bytes: Buffer, at: number, topic: Uint8Array): boolean {
  const bodyLength = at + bodyLengthAt(bytes.readInt32BE(at + RecordField.SYS_FLAG));
  const lengthAt = bodyLength + 4 + bytes.readInt32BE(bodyLength);
  const isLong = bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_V2;
  const length = isLong ? bytes.readInt16BE(lengthAt) : bytes[lengthAt]!;
  const topicAt = lengthAt + (isLong ? 2 : 1);
  if (length !== topic.length) return false;
  // Topics are short: a loop beats Buffer's own comparison.
  for (let index = 0; index < length; index += 1) if (bytes[topicAt + index] !== topic[index]) return false;
  return true;
}
