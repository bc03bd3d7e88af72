/**
 * When, in monotonic time, the delayed messages of one level are due. A queue unit of SCHEDULE_TOPIC_XXXX carries
 * the wall time of delivery, which was right by the clock that ran when the message was stored; clocks step. So
 * for every stretch of a queue the distance between wall and monotonic time of its arrival is kept: a step
 * afterwards moves nothing. While the clock has not stepped, the wall clock decides, to the millisecond.
 *
 * Store timestamps never run backwards: when the clock is set back they stand still until it has caught up. The
 * distance kept is then that of the store's standing clock.
 *
 * What was stored before this process started arrived at an unknown moment: it is due by the wall clock, and at
 * the latest one delay after the start (a clock that was set back must not hold it for hours).
 */
export interface Moment {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

interface Stretch {
  /** First queue offset. */
  readonly from: number;
  /** Wall minus monotonic time at the arrival of the first message, and the smallest of all. */
  readonly firstSkewMs: number;
  skewMs: number;
  readonly dueMsMax: number;
}

/** Clocks that drift apart by less have not stepped. */
const STEP_MS = 100;
/** Beyond, arrivals join the last stretch, and are rather late than early. */
const STRETCHES_MAX = 4_096;

export class DueTimes {
  readonly #delayMs: number;
  #stretches: Stretch[];

  constructor(delayMs: number, start: Moment) {
    this.#delayMs = delayMs;
    const skewMs = start.wallMs - start.monotonicMs;
    const dueMsMax = start.monotonicMs + delayMs;
    this.#stretches = [{ from: 0, firstSkewMs: skewMs, skewMs, dueMsMax }];
  }

  get stretches(): number {
    return this.#stretches.length;
  }

  /** The message at `offset`, to be delivered at wall time `deliverAtMs`, was stored just now. */
  arrived(offset: number, deliverAtMs: number, now: Moment): void {
    const storedAtMs = deliverAtMs - this.#delayMs;
    const skewMs = Math.max(storedAtMs, now.wallMs) - now.monotonicMs;
    const last = this.#stretches.at(-1)!;
    const isOfLast =
      last.dueMsMax === Number.POSITIVE_INFINITY && Math.abs(skewMs - last.firstSkewMs) <= STEP_MS;
    if (isOfLast || this.#stretches.length >= STRETCHES_MAX) {
      last.skewMs = Math.min(last.skewMs, skewMs);
      return;
    }
    const dueMsMax = Number.POSITIVE_INFINITY;
    this.#stretches.push({ from: offset, firstSkewMs: skewMs, skewMs, dueMsMax });
  }

  /** Monotonic ms. Offsets are asked for in rising order. */
  dueMs(offset: number, deliverAtMs: number, now: Moment): number {
    const stretches = this.#stretches;
    while (stretches.length > 1 && stretches[1]!.from <= offset) stretches.shift();
    const { skewMs, dueMsMax } = stretches[0]!;
    const skewNowMs = now.wallMs - now.monotonicMs;
    const hasStepped = Math.abs(skewNowMs - skewMs) > STEP_MS;
    return Math.min(deliverAtMs - (hasStepped ? skewMs : skewNowMs), dueMsMax);
  }
}
