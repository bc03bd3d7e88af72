/**
 * One unit of `timerlog/` (RocketMQ: TimerLog): a message that waits for its time, chained to the unit before it in
 * the same slot of the wheel. 52 bytes:
 *
 *   size:i32 = 52 · prevPos:i64 (-1: none) · magic:i32 · writeTime:i64 · delay:i32 · physicalOffset:i64
 *   · recordSize:i32 · topicHash:i32 · reserved:i64
 *
 * RocketMQ writes 0 as `reserved` and never reads it. Here it is crc:u32 · restS:u31 · isPutOff:u1, so that a bit that flips
 * does not lead to another place of the log; a crc of 0 was written by RocketMQ, and the unit is believed.
 *
 * writeTime + delay is the slot's time in wall ms. What does not fit before the end of a file is preceded by a
 * blank: rest:i32 · 0:i64 · BLANK_MAGIC:i32.
 */
import { bodyCrcBetween, readInt32, readInt64, writeInt32, writeInt64 } from "@orbitmq/wire";

export const TIMER_UNIT_BYTES = 52;
export const BLANK_BYTES = 16;
/** RocketMQ: TimerLog.BLANK_MAGIC_CODE. */
export const BLANK_MAGIC = (0xbbccddee ^ (1_880_681_586 + 8)) | 0;

/** Bits of a unit's magic; every unit has MAGIC_DEFAULT. */
export const TimerMagic = {
  DEFAULT: 1,
  /** The time lies beyond the wheel's window: the message is put into the queue again. */
  ROLL: 2,
  /** The message deletes another of the same slot. */
  DELETE: 4,
} as const;

const MAGIC_MASK = 0xf;
const CRC_AT = 44;
const REST_AT = 48;
const REST_S_MAX = 2 ** 31 - 1;

/** A message that waits. */
export interface TimerEntry {
  readonly magic: number;
  readonly writeTimeMs: number;
  /** Wall ms of the slot. */
  readonly slotMs: number;
  readonly physicalOffset: number;
  readonly recordSize: number;
  readonly topicHash: number;
  /** It was not made for a message of the queue just read, but again for one that could not be delivered. */
  readonly isPutOff: boolean;
  /** Of a message that is put into the queue again: from the slot to its own second; 0 when that is not known. */
  readonly restS: number;
}

export interface TimerUnit extends TimerEntry {
  /** Where the slot's unit before this one lies; -1 when this is the first. */
  readonly prevPos: number;
}

export function writeTimerUnit(entry: TimerEntry, prevPos: number, bytes: Buffer, at: number): void {
  const { writeTimeMs, slotMs } = entry;
  writeInt32(bytes, TIMER_UNIT_BYTES, at);
  writeInt64(bytes, prevPos, at + 4);
  writeInt32(bytes, entry.magic, at + 12);
  writeInt64(bytes, writeTimeMs, at + 16);
  writeInt32(bytes, slotMs - writeTimeMs, at + 24);
  writeInt64(bytes, entry.physicalOffset, at + 28);
  writeInt32(bytes, entry.recordSize, at + 36);
  writeInt32(bytes, entry.topicHash, at + 40);
  const rest = entry.restS > REST_S_MAX ? 0 : entry.restS;
  writeInt32(bytes, rest * 2 + (entry.isPutOff ? 1 : 0), at + REST_AT);
  writeInt32(bytes, crcOf(bytes, at), at + CRC_AT);
}

/** Of what stands before it and behind it. Never 0. */
function crcOf(bytes: Buffer, at: number): number {
  return (bodyCrcBetween(bytes, at, at + CRC_AT) ^ readInt32(bytes, at + REST_AT)) >>> 0 || 1;
}

/** The unit at `bytes[at]`; `undefined` when there is none that could lie at `position` of the log. */
export function readTimerUnit(bytes: Buffer, at: number, position: number): TimerUnit | undefined {
  if (bytes.length - at < TIMER_UNIT_BYTES || bytes.readInt32BE(at) !== TIMER_UNIT_BYTES) return undefined;
  const crc = bytes.readUInt32BE(at + CRC_AT);
  if (crc !== 0 && crc !== crcOf(bytes, at)) return undefined;
  const magic = bytes.readInt32BE(at + 12);
  if ((magic | MAGIC_MASK) !== MAGIC_MASK || magic === 0) return undefined;
  const prevPos = readInt64(bytes, at + 4);
  const writeTimeMs = readInt64(bytes, at + 16);
  const slotMs = writeTimeMs + bytes.readInt32BE(at + 24);
  const physicalOffset = readInt64(bytes, at + 28);
  const recordSize = bytes.readInt32BE(at + 36);
  const isSane =
    prevPos >= -1 &&
    prevPos < position &&
    slotMs >= 0 &&
    Number.isSafeInteger(slotMs) &&
    Number.isSafeInteger(writeTimeMs) &&
    physicalOffset >= 0 &&
    Number.isSafeInteger(physicalOffset) &&
    recordSize > 0;
  if (!isSane) return undefined;
  const topicHash = bytes.readInt32BE(at + 40);
  const rest = bytes.readUInt32BE(at + REST_AT);
  const [isPutOff, restS] = [(rest & 1) === 1, rest >>> 1];
  return { prevPos, magic, writeTimeMs, slotMs, physicalOffset, recordSize, topicHash, isPutOff, restS };
}
