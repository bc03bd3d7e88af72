/**
 * A checksum over a whole record, as RocketMQ's optional last property `__CRC32#` (`enabledAppendPropCRC`). The
 * record's own checksum covers the body only: after a crash a record whose properties never reached the disk
 * would pass for valid. Java ignores the property unless `forceVerifyPropCRC` is set, and then agrees with it.
 *
 *   seal = "__CRC32#" U+0001 ten decimal digits, least significant first, U+0002     (20 bytes)
 *
 * The checksum is over all bytes of the record before the seal.
 */
import {
  bodyCrcBetween,
  bodyLengthAt,
  type EncodedProperties,
  MAGIC_V2,
  MessageConst,
  PROPERTIES_BYTES_MAX,
  PreparedWords,
  RecordField,
  type RecordSource,
  rangeCrc32,
} from "@orbitmq/wire";

const NAME = Buffer.from(`${MessageConst.CRC32}\u0001`);
const DIGITS = 10;
const SEPARATOR = 2;
const ZERO = 48;
export const SEAL_BYTES = NAME.length + DIGITS + 1;
const NAME_WORDS = new PreparedWords(NAME);
/** The two digits of a number below 100, the lower one first. */
const DIGIT_PAIRS = Uint16Array.from(
  { length: 100 },
  (_, pair) => ((ZERO + (pair % 10)) << 8) | (ZERO + Math.floor(pair / 10)),
);

/** How many bytes sealing will add to a record with these properties. */
export function sealBytes(properties: string | EncodedProperties): number {
  if (typeof properties !== "string") {
    // Their own separator is among their bytes.
    return properties.byteLength + SEAL_BYTES <= PROPERTIES_BYTES_MAX ? SEAL_BYTES : 0;
  }
  const separator =
    properties.length > 0 && properties.charCodeAt(properties.length - 1) !== SEPARATOR ? 1 : 0;
  const added = separator + SEAL_BYTES;
  // No character takes more than three bytes of UTF-8 per unit: most properties need not be measured.
  if (properties.length * 3 + added <= PROPERTIES_BYTES_MAX) return added;
  return Buffer.byteLength(properties) + added <= PROPERTIES_BYTES_MAX ? added : 0;
}

export type SealCheck = "valid" | "wrong" | "absent";

/** Where the properties' length field of the record at `at` lies. The record must be whole. */
function propertiesLengthAt(bytes: Buffer, at: number): number {
  const sysFlag = bytes.readInt32BE(at + RecordField.SYS_FLAG);
  const bodyAt = at + bodyLengthAt(sysFlag) + 4;
  const topicLengthAt = bodyAt + bytes.readInt32BE(bodyAt - 4);
  if (bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_V2) {
    return topicLengthAt + 2 + bytes.readInt16BE(topicLengthAt);
  }
  return topicLengthAt + 1 + bytes[topicLengthAt]!;
}

/** Computes the seal anew after offsets in the record have changed. */
export function resealRecord(bytes: Buffer, at: number, size: number): void {
  if (!hasSeal(bytes, at, size)) return;
  const sealAt = at + size - SEAL_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  writeSeal(view, sealAt, rangeCrc32(view, at, sealAt, 0));
}

/**
 * Whether the whole record is what was sealed; `absent` when it carries no seal. Where the digits are right the record
 * is whole, though the seal's name or its separator is not what was written.
 */
export function checkSeal(bytes: Buffer, at: number, size: number): SealCheck {
  const otherwise = hasSeal(bytes, at, size) ? "wrong" : "absent";
  const sealAt = at + size - SEAL_BYTES;
  if (sealAt <= at + RecordField.BORN_HOST) return "absent";
  let sealed = 0;
  for (let index = DIGITS - 1; index >= 0; index -= 1) {
    const digit = bytes[sealAt + NAME.length + index]! - ZERO;
    if (digit < 0 || digit > 9) return otherwise;
    sealed = sealed * 10 + digit;
  }
  return sealed === bodyCrcBetween(bytes, at, sealAt) ? "valid" : otherwise;
}

/**
 * Whether the record of `size` bytes at `at` has a seal whose digits are its checksum: `checkSeal`'s "valid", for
 * records read by the million. False says nothing more. The record must lie within `view`.
 */
export function isSealed(view: DataView, at: number, size: number): boolean {
  const sealAt = at + size - SEAL_BYTES;
  if (sealAt <= at + RecordField.BORN_HOST) return false;
  // What has no seal ends in no digits, most of the time, and need not be summed.
  const lastDigit = view.getUint8(sealAt + NAME.length + DIGITS - 1) - ZERO;
  if (lastDigit < 0 || lastDigit > 9) return false;
  let rest = rangeCrc32(view, at, sealAt, 0) & 0x7fffffff;
  const digitsEnd = sealAt + NAME.length + DIGITS;
  for (let digitsAt = sealAt + NAME.length; digitsAt < digitsEnd; digitsAt += 2) {
    const quotient = (rest / 100) | 0;
    if (view.getUint16(digitsAt) !== DIGIT_PAIRS[rest - quotient * 100]) return false;
    rest = quotient;
  }
  return true;
}

/**
 * Whether a record without a seal can be one of ours: only properties that left no room have none. Elsewhere a
 * missing seal is one that never reached the disk, whatever lies in its place.
 */
export function mayLackSeal(bytes: Buffer, at: number): boolean {
  return bytes.readInt16BE(propertiesLengthAt(bytes, at)) + SEAL_BYTES >= PROPERTIES_BYTES_MAX;
}

/** True when topic and properties of the record contain no zero byte, as bytes that never reached the disk would. */
export function hasNoHoles(bytes: Buffer, at: number, size: number): boolean {
  const lengthAt = propertiesLengthAt(bytes, at);
  const bodyAt = at + bodyLengthAt(bytes.readInt32BE(at + RecordField.SYS_FLAG)) + 4;
  const topicAt = bodyAt + bytes.readInt32BE(bodyAt - 4) + 2;
  return (
    !bytes.subarray(topicAt, lengthAt).includes(0) && !bytes.subarray(lengthAt + 2, at + size).includes(0)
  );
}

/** `message` without a seal that came with its properties: ours is the only one. */
export function withoutSeal(message: RecordSource): RecordSource {
  const { properties } = message;
  if (typeof properties !== "string") {
    return properties.mayHaveChecksum ? withoutSeal({ ...message, properties: properties.text() }) : message;
  }
  if (!properties.includes(MessageConst.CRC32)) return message;
  const entries = properties.split("\u0002");
  const kept = entries.filter((entry) => !entry.startsWith(`${MessageConst.CRC32}\u0001`));
  if (kept.length === entries.length) return message;
  return {
    topic: message.topic,
    queueId: message.queueId,
    flag: message.flag,
    sysFlag: message.sysFlag,
    bornTimestamp: message.bornTimestamp,
    bornHost: message.bornHost,
    storeHost: message.storeHost,
    reconsumeTimes: message.reconsumeTimes,
    preparedTransactionOffset: message.preparedTransactionOffset,
    body: message.body,
    properties: kept.join("\u0002"),
  };
}

function hasSeal(bytes: Buffer, at: number, size: number): boolean {
  const sealAt = at + size - SEAL_BYTES;
  if (sealAt <= at + RecordField.BORN_HOST || bytes[at + size - 1] !== SEPARATOR) return false;
  for (let index = 0; index < NAME.length; index += 1)
    if (bytes[sealAt + index] !== NAME[index]) return false;
  return true;
}

/** Writes the seal of a record at its end; `crc` is the CRC-32 of all bytes before it. */
export function writeSeal(into: DataView, sealAt: number, crc: number): void {
  let at = NAME_WORDS.write(into, sealAt);
  let rest = crc & 0x7fffffff;
  for (let pair = 0; pair < DIGITS / 2; pair += 1) {
    const quotient = (rest / 100) | 0;
    into.setUint16(at, DIGIT_PAIRS[rest - quotient * 100]!);
    rest = quotient;
    at += 2;
  }
  into.setUint8(at, SEPARATOR);
}
