/**
 * The machine's clock and timers. Node counts a timer from the moment the current turn of the event loop
 * began, so after a long turn it may fire too early; ours fire `delayMs` after the call at the earliest, and
 * cope with delays beyond Node's 2^31 ms.
 */
import type { Clock, TimerHandle, Timers } from "../clock.ts";

const DELAY_MAX = 0x7fffffff;

export const nodeClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

class OneShot implements TimerHandle {
  readonly #deadlineMs: number;
  #fn: (() => void) | undefined;
  #timeout: NodeJS.Timeout | undefined;

  constructor(delayMs: number, fn: () => void) {
    this.#deadlineMs = performance.now() + delayMs;
    this.#fn = fn;
    this.#arm(delayMs);
  }

  #arm(delayMs: number): void {
    this.#timeout = setTimeout(() => this.#fire(), Math.min(Math.max(Math.ceil(delayMs), 0), DELAY_MAX));
  }

  #fire(): void {
    const remainingMs = this.#deadlineMs - performance.now();
    if (remainingMs > 0) {
      this.#arm(remainingMs);
      return;
    }
    const fn = this.#fn;
    this.#fn = undefined;
    fn?.();
  }

  cancel(): void {
    this.#fn = undefined;
    clearTimeout(this.#timeout);
  }
}

class Interval implements TimerHandle {
  readonly #interval: NodeJS.Timeout;

  constructor(intervalMs: number, fn: () => void) {
    this.#interval = setInterval(fn, Math.min(Math.max(intervalMs, 1), DELAY_MAX));
  }

  cancel(): void {
    clearInterval(this.#interval);
  }
}

/** The functions of one turn share one setImmediate; what they add themselves runs a turn later. */
class TurnEnd {
  #waiting: (() => void)[] = [];
  #running: (() => void)[] = [];
  #scheduled = false;
  readonly #run = () => this.#runAll();

  add(fn: () => void): void {
    this.#waiting.push(fn);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  #runAll(): void {
    const list = this.#waiting;
    this.#waiting = this.#running;
    this.#running = list;
    this.#scheduled = false;
    let next = 0;
    try {
      while (next < list.length) list[next++]!();
    } finally {
      // One that throws must not take the others with it: they run in the next turn, before its own.
      if (next < list.length) {
        this.#waiting.unshift(...list.slice(next));
        this.#schedule();
      }
      list.length = 0;
    }
  }
}

export function nodeTimers(): Timers {
  const turnEnd = new TurnEnd();
  return {
    after: (delayMs, fn) => new OneShot(delayMs, fn),
    every: (intervalMs, fn) => new Interval(intervalMs, fn),
    afterTurn: (fn) => turnEnd.add(fn),
  };
}
