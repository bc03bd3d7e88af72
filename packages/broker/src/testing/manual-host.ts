/** Time by hand: timers fire in `advance`, end-of-turn callbacks in `endTurn` (which `advance` includes). */
import type { Clock, TimerHandle, Timers } from "@orbitmq/host";

interface Timer {
  dueMs: number;
  readonly everyMs: number | undefined;
  readonly fn: () => void;
}

export class ManualHost {
  #nowMs = 1_000;
  /** Wall time = monotonic time + this. */
  wallOffsetMs = 1_700_000_000_000;
  #timers = new Set<Timer>();
  #turn: (() => void)[] = [];

  readonly clock: Clock = {
    wallMs: () => Math.floor(this.#nowMs + this.wallOffsetMs),
    monotonicMs: () => this.#nowMs,
  };

  readonly timers: Timers = {
    after: (delayMs, fn) => this.#add({ dueMs: this.#nowMs + delayMs, everyMs: undefined, fn }),
    every: (everyMs, fn) => this.#add({ dueMs: this.#nowMs + everyMs, everyMs, fn }),
    afterTurn: (fn) => void this.#turn.push(fn),
  };

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Runs what was left for the end of the turn, and what that leaves in its turn. */
  endTurn(): void {
    for (let rounds = 0; this.#turn.length > 0; rounds++) {
      if (rounds > 1_000) throw new Error("turns do not end");
      const turn = this.#turn;
      this.#turn = [];
      for (const fn of turn) fn();
    }
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    this.endTurn();
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined || next.dueMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.everyMs === undefined) this.#timers.delete(next);
      else next.dueMs += next.everyMs;
      next.fn();
      this.endTurn();
    }
    this.#nowMs = untilMs;
  }

  #add(timer: Timer): TimerHandle {
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }
}
