/**
 * Which slot of the wheel a message goes into (RocketMQ: TimerMessageStore.doEnqueue). A time beyond the window goes
 * into the window's last slot, or its middle when little would remain, and from there round again.
 */
import type { Clock } from "@orbitmq/host";
import { TIMER_PRECISION_MS, type TimerFiles, TimerMagic, type TimerUnit } from "@orbitmq/store";

export interface TimerPlace {
  readonly slotMs: number;
  readonly magic: number;
}

/** `writeTimeMs` is now, whole seconds of wall time; `windowSlots` seconds lie in the window. */
export function placeTimer(
  outMs: number,
  writeTimeMs: number,
  windowSlots: number,
  deletes: boolean,
): TimerPlace {
  const magic = TimerMagic.DEFAULT | (deletes ? TimerMagic.DELETE : 0);
  const windowMs = windowSlots * TIMER_PRECISION_MS;
  const beyondMs = outMs - writeTimeMs - windowMs;
  if (beyondMs < 0) return { slotMs: outMs, magic };
  const slots = beyondMs < Math.floor(windowSlots / 3) * TIMER_PRECISION_MS ? windowSlots >> 1 : windowSlots;
  return { slotMs: writeTimeMs + slots * TIMER_PRECISION_MS, magic: magic | TimerMagic.ROLL };
}

/**
 * Where a unit goes that is to be tried again at `retryMs`. A message that goes round goes no further than to its own
 * second, and is due there: what deletes it is there, too.
 */
export function putOff(unit: TimerUnit, retryMs: number): TimerPlace {
  const { slotMs, magic, restS } = unit;
  const ownMs = slotMs + restS * 1_000;
  const laterMs = retryMs - (retryMs % TIMER_PRECISION_MS);
  if (restS === 0) return { slotMs: laterMs, magic };
  return laterMs < ownMs ? { slotMs: laterMs, magic } : { slotMs: ownMs, magic: magic & ~TimerMagic.ROLL };
}

/** Seconds that a message in `slotMs` of the wheel waits elsewhere before it is due. */
export function restOf(outMs: number, slotMs: number): number {
  return Math.max(0, Math.floor((outMs - slotMs) / 1_000));
}

/** Now as whole seconds of wall time, ms. */
export function nowSlot(clock: Pick<Clock, "wallMs">): number {
  const nowMs = clock.wallMs();
  return nowMs - (nowMs % TIMER_PRECISION_MS);
}

/** The first slot from `slotMs` on that is not being emptied. */
export function freeSlot(files: Pick<TimerFiles, "isTaken">, slotMs: number): number {
  let free = slotMs;
  while (files.isTaken(free)) free += TIMER_PRECISION_MS;
  return free;
}
