/** Whether messages for a time take part in a seed, and how large and how lazy the timers of its brokers are. */
import { SeededRandom } from "@orbitmq/host/sim";

export interface TimerMode {
  /** Messages for a time. */
  readonly sends: number;
  /** Wall clocks are set by so many times less than elsewhere, so that steps fall amid what waits. */
  readonly clockStepDivisor: number;
  /** The brokers' options of these names. */
  readonly timerRollWindowSlot: number;
  readonly timerFlushIntervalMs: number;
  readonly timerKeptRetryMs: number;
  readonly mappedFileSizeTimerLog: number;
  readonly timerWheelSlots: number;
}

/** Drawn from a stream of its own: the other seeds stay what they were. */
export function timerModeOf(seed: number): TimerMode | undefined {
  const random = new SeededRandom(seed, "timers");
  if (!random.chance(0.28)) return undefined;
  return {
    sends: random.between(16, 28),
    clockStepDivisor: random.pick([1, 60, 600, 3_600]),
    // Seconds: longer waits are rolled.
    timerRollWindowSlot: random.pick([172_800, 172_800, 5, 12]),
    timerFlushIntervalMs: random.pick([100, 1_000]),
    timerKeptRetryMs: 5_000,
    mappedFileSizeTimerLog: random.pick([1_024, 8_192]),
    // Eighteen hours: a wheel of two weeks takes long to look through.
    // No power of two, as RocketMQ's number is none: whatever bit of a slot's time flips, it is not its own any more.
    timerWheelSlots: 60_000,
  };
}

/** What brokers are told of it, beside the folder. */
export function timerOptions({
  timerRollWindowSlot,
  timerFlushIntervalMs,
  timerKeptRetryMs,
  mappedFileSizeTimerLog,
  timerWheelSlots,
}: TimerMode): Omit<TimerMode, "sends" | "clockStepDivisor"> & { readonly recallMessageEnable: true } {
  return {
    recallMessageEnable: true,
    timerRollWindowSlot,
    timerFlushIntervalMs,
    timerKeptRetryMs,
    mappedFileSizeTimerLog,
    timerWheelSlots,
  };
}
