/**
 * Who waits until the log is as durable as asked, in log order. A gate has a list of positions, each moved by
 * somebody else: how far the log is flushed, later how far the replicas have it. An append is settled
 * `reached` when every position has come to its end, `timeout` when that takes too long (the message is stored
 * and may yet become durable), `failed` when the store has stopped writing.
 *
 * Appends wait in log order and all equally long, so the oldest waiter is always the next to be settled by
 * either way: a ring, and one timer for its oldest entry, no closure or timer per append.
 */
import { assert, type Clock, type Logger, type TimerHandle, type Timers } from "@orbitmq/host";
import type { AppendOutcome, AppendWaiter } from "../message-store.ts";

export interface GatePosition {
  /** Moves forward only; moving back is ignored. */
  advance(position: number): void;
  /** The log was cut: nobody waits behind `position`, and what is appended there is not reached yet. */
  retreat(position: number): void;
}

export class AckGate {
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #logger: Logger;
  readonly #positions: number[] = [];
  #waiters: (AppendWaiter | undefined)[] = new Array(256);
  #ends = new Float64Array(256);
  #deadlines = new Float64Array(256);
  #head = 0;
  #count = 0;
  #timer: TimerHandle | undefined;

  constructor(host: { timers: Timers; clock: Clock }, timeoutMs: number, logger: Logger) {
    this.#timers = host.timers;
    this.#clock = host.clock;
    this.#timeoutMs = timeoutMs;
    this.#logger = logger;
  }

  get waiting(): number {
    return this.#count;
  }

  /** End of the newest append that waits; 0 when none does. */
  get newestEnd(): number {
    if (this.#count === 0) return 0;
    return this.#ends[(this.#head + this.#count - 1) & (this.#ends.length - 1)]!;
  }

  /** Adds a position to wait for, standing at `initial`. */
  addPosition(initial: number): GatePosition {
    const index = this.#positions.push(initial) - 1;
    return {
      advance: (position) => {
        if (position <= this.#positions[index]!) return;
        this.#positions[index] = position;
        this.#settleReached();
      },
      retreat: (position) => {
        assert(this.newestEnd <= position, "nobody waits behind a cut");
        this.#positions[index] = Math.min(this.#positions[index]!, position);
      },
    };
  }

  /** `waiter` waits until every position is at `end`. Ends must not decrease from call to call. `nowMs` is monotonic. */
  wait(end: number, waiter: AppendWaiter, nowMs = this.#clock.monotonicMs()): void {
    assert(end >= this.newestEnd, "appends wait in log order");
    if (this.#count === this.#ends.length) this.#grow();
    const slot = (this.#head + this.#count) & (this.#ends.length - 1);
    this.#waiters[slot] = waiter;
    this.#ends[slot] = end;
    this.#deadlines[slot] = nowMs + this.#timeoutMs;
    this.#count += 1;
    this.#timer ??= this.#timers.after(this.#timeoutMs, this.#expire);
  }

  /** Settles every waiter whose append ends behind `offset`. */
  fail(offset: number): void {
    const failed: AppendWaiter[] = [];
    while (this.#count > 0 && this.newestEnd > offset) {
      const slot = (this.#head + this.#count - 1) & (this.#ends.length - 1);
      failed.push(this.#waiters[slot]!);
      this.#waiters[slot] = undefined;
      this.#count -= 1;
    }
    for (let index = failed.length - 1; index >= 0; index -= 1) this.#settle(failed[index]!, "failed");
  }

  /** Nothing waits any longer for time; call when the store has stopped. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #settleReached(): void {
    let reached = Number.POSITIVE_INFINITY;
    for (const position of this.#positions) if (position < reached) reached = position;
    while (this.#count > 0 && this.#ends[this.#head]! <= reached) this.#settle(this.#shift(), "reached");
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = this.#clock.monotonicMs();
    while (this.#count > 0 && this.#deadlines[this.#head]! <= now) this.#settle(this.#shift(), "timeout");
    if (this.#count === 0) return;
    this.#timer ??= this.#timers.after(Math.max(0, this.#deadlines[this.#head]! - now), this.#expire);
  };

  #shift(): AppendWaiter {
    const waiter = this.#waiters[this.#head]!;
    this.#waiters[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ends.length - 1);
    this.#count -= 1;
    return waiter;
  }

  #settle(waiter: AppendWaiter, outcome: AppendOutcome): void {
    try {
      waiter.appendSettled(outcome);
    } catch (error) {
      this.#logger.error({ err: error, outcome }, "an append's waiter threw; the others are not affected");
    }
  }

  #grow(): void {
    const length = this.#ends.length;
    const waiters: (AppendWaiter | undefined)[] = new Array(length * 2);
    const ends = new Float64Array(length * 2);
    const deadlines = new Float64Array(length * 2);
    for (let index = 0; index < this.#count; index += 1) {
      const from = (this.#head + index) & (length - 1);
      waiters[index] = this.#waiters[from];
      ends[index] = this.#ends[from]!;
      deadlines[index] = this.#deadlines[from]!;
    }
    this.#waiters = waiters;
    this.#ends = ends;
    this.#deadlines = deadlines;
    this.#head = 0;
  }
}
