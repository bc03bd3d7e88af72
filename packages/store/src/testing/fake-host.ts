/** A host for tests: time moves when told, the disk is a FakeDisk, everything else is refused. */
import type { Clock, Host, TimerHandle, Timers } from "@orbitmq/host";
import { type DiskImage, FakeDisk } from "./fake-disk.ts";

interface FakeTimer extends TimerHandle {
  readonly atMs: number;
  readonly fn: () => void;
}

export class FakeHost implements Host {
  readonly files: FakeDisk;
  /** Wall minus monotonic time. */
  #wallOffsetMs = 1_700_000_000_000;
  #nowMs = 0;
  readonly #turn: (() => void)[] = [];
  readonly #timers = new Set<FakeTimer>();
  readonly process = { pid: 4711, totalMemoryBytes: 8 * 2 ** 30, homeFolder: "/root" };
  readonly clock: Clock = { wallMs: () => this.wall, monotonicMs: () => this.#nowMs };
  readonly random = {
    int: (bound: number) => 123_456_789 % bound,
    float: () => 0.5,
    bytes: (length: number) => new Uint8Array(length),
  };
  readonly timers: Timers = {
    after: (delayMs, fn) => this.#after(delayMs, fn),
    every: () => {
      throw new Error("the store uses no repeating timers");
    },
    afterTurn: (fn) => {
      this.#turn.push(fn);
    },
  };

  constructor(image?: DiskImage | FakeDisk) {
    this.files = new FakeDisk((fn) => this.#turn.push(fn), image);
  }

  get network(): never {
    throw new Error("the store has no network");
  }

  get wall(): number {
    return this.#wallOffsetMs + this.#nowMs;
  }

  /** Steps the wall clock. */
  set wall(ms: number) {
    this.#wallOffsetMs = ms - this.#nowMs;
  }

  /** How many timers are armed. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Runs one turn of the event loop; `false` when there was nothing to do. */
  turn(): boolean {
    const list = this.#turn.splice(0);
    for (const fn of list) fn();
    return list.length > 0;
  }

  /** Runs turns until nothing is left to do without time passing. */
  settle(): void {
    for (let turns = 0; this.turn(); turns += 1)
      if (turns > 1_000_000) throw new Error("never comes to rest");
  }

  /** Lets time pass, timers firing in order, with everything they cause. */
  advance(ms: number): void {
    const end = this.#nowMs + ms;
    this.settle();
    for (;;) {
      let next: FakeTimer | undefined;
      for (const timer of this.#timers) if (next === undefined || timer.atMs < next.atMs) next = timer;
      if (next === undefined || next.atMs > end) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#timers.delete(next);
      next.fn();
      this.settle();
    }
    this.#nowMs = end;
  }

  #after(delayMs: number, fn: () => void): TimerHandle {
    const timer: FakeTimer = {
      atMs: this.#nowMs + delayMs,
      fn,
      cancel: () => {
        this.#timers.delete(timer);
      },
    };
    this.#timers.add(timer);
    return timer;
  }
}

/** Runs `promise` to its end while the host's event loop turns. */
export async function finish<T>(host: FakeHost, promise: Promise<T>): Promise<T> {
  let over = false;
  const watched = promise.finally(() => {
    over = true;
  });
  for (let turns = 0; !over; turns += 1) {
    host.settle();
    await Promise.resolve();
    if (turns > 1000) throw new Error("the promise waits for something that does not happen");
  }
  return watched;
}
