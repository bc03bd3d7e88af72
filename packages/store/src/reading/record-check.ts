/** Whether bytes that came from disk are the record that a queue unit promises. */
import {
  bodyLengthAt,
  checkRecord,
  MAGIC_V1,
  MAGIC_V2,
  RECORD_BYTES_MIN,
  RecordField,
  readInt64,
} from "@orbitmq/wire";
import { checkSeal, isSealed } from "../commit-log/record-seal.ts";

const HIGH_UNIT = 2 ** 32;

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
 * Whether the record of `size` bytes at `at` is sealed, undamaged and the one its queue unit promises, told without a
 * word and without an allocation. False says only that `whatIsWrong` has to look: a record may have no seal. The
 * `size` bytes must lie within `view`; nothing is presumed about what they are.
 */
export function isPromised(
  view: DataView,
  at: number,
  size: number,
  position: number,
  offset: number,
  { queueId, topicBytes }: Expected,
): boolean {
  if (size < RECORD_BYTES_MIN || view.getInt32(at + RecordField.TOTAL_SIZE) !== size) return false;
  const magic = view.getInt32(at + RecordField.MAGIC);
  if (magic !== MAGIC_V1 && magic !== MAGIC_V2) return false;
  if (
    int64(view, at + RecordField.PHYSICAL_OFFSET) !== position ||
    int64(view, at + RecordField.QUEUE_OFFSET) !== offset ||
    view.getInt32(at + RecordField.QUEUE_ID) !== queueId
  ) {
    return false;
  }
  const end = at + size;
  const bodyAt = at + bodyLengthAt(view.getInt32(at + RecordField.SYS_FLAG)) + 4;
  if (bodyAt > end) return false;
  const bodyBytes = view.getInt32(bodyAt - 4);
  const topicAt = bodyAt + bodyBytes + (magic === MAGIC_V2 ? 2 : 1);
  const { length } = topicBytes;
  const topicEnd = topicAt + length;
  if (bodyBytes < 0 || topicEnd + 2 > end) return false;
  const named = magic === MAGIC_V2 ? view.getInt16(topicAt - 2) : view.getUint8(topicAt - 1);
  if (named !== length || topicEnd + 2 + view.getInt16(topicEnd) !== end) return false;
  for (let index = 0; index < length; index += 1) {
    if (view.getUint8(topicAt + index) !== topicBytes[index]) return false;
  }
  return isSealed(view, at, size);
}

function int64(view: DataView, at: number): number {
  return view.getInt32(at) * HIGH_UNIT + view.getUint32(at + 4);
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
