/**
 * One slot of `timerwheel` (RocketMQ: Slot): the messages of one second, as a chain of units in `timerlog/`. 32
 * bytes, zeros where the slot was never used or is done with:
 *
 *   time:i64 (wall time / precision) · firstPos:i64 · lastPos:i64 · num:i32 · magic:i32
 */
import { readInt64, writeInt64 } from "@orbitmq/wire";

export const TIMER_SLOT_BYTES = 32;

export interface TimerSlot {
  /** Wall ms. */
  readonly timeMs: number;
  /** The chain's first and last unit. */
  readonly firstPos: number;
  readonly lastPos: number;
  /** Messages less deletions. */
  readonly num: number;
}

export function writeTimerSlot(slot: TimerSlot, precisionMs: number, bytes: Buffer, at: number): void {
  writeInt64(bytes, slot.timeMs / precisionMs, at);
  writeInt64(bytes, slot.firstPos, at + 8);
  writeInt64(bytes, slot.lastPos, at + 16);
  bytes.writeInt32BE(slot.num, at + 24);
  bytes.writeInt32BE(0, at + 28);
}

/** `undefined`: the slot was never used, is done with, or holds no times. */
export function readTimerSlot(bytes: Buffer, at: number, precisionMs: number): TimerSlot | undefined {
  const timeMs = readInt64(bytes, at) * precisionMs;
  if (timeMs <= 0 || !Number.isSafeInteger(timeMs)) return undefined;
  const firstPos = readInt64(bytes, at + 8);
  const lastPos = readInt64(bytes, at + 16);
  if (lastPos < 0 || !Number.isSafeInteger(lastPos) || !Number.isSafeInteger(firstPos)) return undefined;
  return { timeMs, firstPos, lastPos, num: bytes.readInt32BE(at + 24) };
}
