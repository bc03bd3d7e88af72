/**
 * How hostile a simulated world is. Durations are virtual microseconds, chances lie in [0, 1]. The defaults
 * are a healthy machine room; the simulator turns the knobs from its seed.
 */

/** A range both ends of which are possible. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface NetworkOptions {
  /** One way, between machines. */
  readonly delayUs: Range;
  /** One way, within a machine. */
  readonly loopbackDelayUs: Range;
  /** Chance that a packet takes `tailDelayUs` instead. */
  readonly tailChance: number;
  readonly tailDelayUs: Range;
  /** How long after `write` the kernel reads the buffers. */
  readonly takeDelayUs: Range;
  /** Chance that the kernel takes only a part of what is queued. */
  readonly partialTakeChance: number;
  /** Chance that a chunk arrives in two parts. */
  readonly splitChance: number;
  /** Chance that `written` is told later than the bytes were taken. */
  readonly lateWrittenChance: number;
  /** Bytes a direction holds between the writer's kernel and the reader. */
  readonly windowBytes: number;
}

export interface DiskOptions {
  readonly capacityBytes: number;
  readonly syncUs: Range;
  readonly readUs: Range;
  readonly writeUs: Range;
  /** Chance that an operation takes `tailUs` instead. */
  readonly tailChance: number;
  readonly tailUs: Range;
}

export interface SimOptions {
  readonly network: NetworkOptions;
  readonly disk: DiskOptions;
  /** Between the end of what was ready and `afterTurn`. */
  readonly turnUs: Range;
  /** How late a timer may fire. */
  readonly timerLateUs: Range;
  /** Wall clock at virtual time zero, ms since the epoch. */
  readonly wallStartMs: number;
  /** Mixes all bytes sent and written into the trace hash (slower). */
  readonly traceContents: boolean;
}

export const DEFAULT_SIM_OPTIONS: SimOptions = {
  network: {
    delayUs: { min: 80, max: 400 },
    loopbackDelayUs: { min: 10, max: 40 },
    tailChance: 0.01,
    tailDelayUs: { min: 1_000, max: 30_000 },
    takeDelayUs: { min: 1, max: 60 },
    partialTakeChance: 0.02,
    splitChance: 0.05,
    lateWrittenChance: 0.05,
    windowBytes: 256 * 1024,
  },
  disk: {
    capacityBytes: 1024 * 1024 * 1024,
    syncUs: { min: 120, max: 400 },
    readUs: { min: 30, max: 150 },
    writeUs: { min: 20, max: 80 },
    tailChance: 0.01,
    tailUs: { min: 1_000, max: 40_000 },
  },
  turnUs: { min: 1, max: 30 },
  timerLateUs: { min: 0, max: 1_000 },
  wallStartMs: 1_700_000_000_000,
  traceContents: false,
};
