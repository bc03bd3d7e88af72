/**
 * Time that stands still until somebody moves it: clock and timers of a server started with `clock: "manual"`, and
 * of the clients that share it. Only timers wait here; what belongs to the end of a turn of the event loop runs
 * there as ever, or nothing could be sent while time stands still.
 */
import { assert, type Clock, type TimerHandle, type Timers } from "@orbitmq/host";

interface ManualTimer {
  dueMs: number;
  /** Those due at the same time fire in the order in which they were set. */
  sequence: number;
  readonly everyMs: number | undefined;
  readonly fn: () => void;
  waiting: boolean;
}

export class ManualTime {
  #nowMs = 0;
  readonly #wallOffsetMs: number;
  readonly #real: Timers;
  /** In the order of firing. */
  readonly #timers: ManualTimer[] = [];
  #sequence = 0;
  #turnCallbacks = 0;
  #activity = 0;

  /** `wallMs` is where the wall clock begins; of `real` only the ends of turns are used. */
  constructor(wallMs: number, real: Timers) {
    this.#wallOffsetMs = Math.floor(wallMs);
    this.#real = real;
  }

  readonly clock: Clock = {
    wallMs: () => Math.floor(this.#wallOffsetMs + this.#nowMs),
    monotonicMs: () => this.#nowMs,
  };

  readonly timers: Timers = {
    after: (delayMs, fn) => this.#set(Math.max(delayMs, 0), undefined, fn),
    every: (intervalMs, fn) => this.#set(Math.max(intervalMs, 1), Math.max(intervalMs, 1), fn),
    afterTurn: (fn) => {
      this.#turnCallbacks++;
      this.#real.afterTurn(() => {
        this.#turnCallbacks--;
        this.#activity++;
        fn();
      });
    },
  };

  /** Something waits for the end of this turn. */
  get busy(): boolean {
    return this.#turnCallbacks > 0;
  }

  /** Grows with everything that ran. */
  get activity(): number {
    return this.#activity;
  }

  get timerCount(): number {
    return this.#timers.length;
  }

  /** When the next timer is due, ms on the monotonic clock. */
  get nextDueMs(): number | undefined {
    return this.#timers[0]?.dueMs;
  }

  /** Moves the clock without firing anything; nothing may be due before `nowMs`. */
  moveTo(nowMs: number): void {
    assert(nowMs >= this.#nowMs, "time goes forward");
    assert((this.nextDueMs ?? nowMs) >= nowMs, "a timer is due before");
    this.#nowMs = nowMs;
  }

  /** Moves the clock to the next timer and fires every timer due at that very time. What one throws ends it. */
  fireNext(): void {
    const first = this.#timers[0];
    assert(first !== undefined, "there is a timer");
    // One that was set in the past, by a delay of nothing, fires now.
    this.#nowMs = Math.max(this.#nowMs, first.dueMs);
    const last = this.#sequence;
    for (;;) {
      const timer = this.#timers[0];
      if (timer === undefined || timer.dueMs > this.#nowMs || timer.sequence > last) return;
      this.#timers.shift();
      this.#activity++;
      if (timer.everyMs === undefined) timer.waiting = false;
      else this.#insert(timer, timer.dueMs + timer.everyMs);
      timer.fn();
    }
  }

  #set(delayMs: number, everyMs: number | undefined, fn: () => void): TimerHandle {
    const timer: ManualTimer = { dueMs: 0, sequence: 0, everyMs, fn, waiting: true };
    this.#insert(timer, this.#nowMs + delayMs);
    return {
      cancel: () => {
        if (!timer.waiting) return;
        timer.waiting = false;
        this.#timers.splice(this.#placeOf(timer), 1);
      },
    };
  }

  #insert(timer: ManualTimer, dueMs: number): void {
    timer.dueMs = dueMs;
    timer.sequence = ++this.#sequence;
    this.#timers.splice(this.#placeOf(timer), 0, timer);
  }

  /** Where the timer is, or belongs. */
  #placeOf({ dueMs, sequence }: ManualTimer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle]!;
      if (other.dueMs < dueMs || (other.dueMs === dueMs && other.sequence < sequence)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
