/**
 * Empties one slot of the wheel after the other once its second is over. The slots' times are wall time, so that nothing
 * is delivered before the clock says so; between them it sleeps in monotonic time, a minute at most while anything
 * waits, after which a clock that was set forward is noticed.
 *
 *   resting ⇄ waiting for the next second → emptying a slot → … its messages are safe
 */
import { HostError, type TimerHandle } from "@orbitmq/host";
import {
  type Durability,
  TIMER_PRECISION_MS,
  TimerDamage,
  type TimerFiles,
  TimerMagic,
  type TimerUnit,
} from "@orbitmq/store";
import type { DamagedTimers } from "./damaged-timers.ts";
import type { TimerServiceNeeds } from "./timer-needs.ts";
import type { TimerProgress } from "./timer-progress.ts";
import type { TimerSeconds } from "./timer-seconds.ts";
import { type SlotRunEvents, type TimerCounts, TimerSlotRun } from "./timer-slot-run.ts";
import { freeSlot, nowSlot, putOff, restOf } from "./timer-window.ts";

/** A wall clock that was set forward is noticed after so long. */
const WAIT_MS_MAX = 60_000;
/** Slots delivered whose messages may not be durable yet. */
const UNSAFE_SLOTS_MAX = 1_024;
/** Appends of all slots that may be unsettled when another is begun. */
const UNSETTLED_MAX = 8_192;

export interface DeliveryEvents {
  /** Whether a slot may be begun. */
  mayBegin(): boolean;
  /** Whether the timer's queue is read up to there. */
  hasReached(end: number): boolean;
  /** All of a slot is appended, or slots are safe. */
  changed(): void;
  /** Slots are done with: the wheel has room. */
  retired(): void;
  /** Nothing is under way any more. */
  idle(): void;
  /** Wheel or log cannot be read, or contradict themselves. */
  damaged(error: Error): void;
}

export class TimerDelivery {
  readonly counts: TimerCounts = { delivered: 0, rolled: 0, deleted: 0, kept: 0, removed: 0, damaged: 0 };
  readonly #needs: TimerServiceNeeds;
  readonly #files: TimerFiles;
  readonly #progress: TimerProgress;
  readonly #seconds: TimerSeconds;
  readonly #events: DeliveryEvents;
  readonly #durability: Durability;
  readonly #damaged: DamagedTimers;
  readonly #isCarried: (position: number) => boolean;
  #isRunning = false;
  #run: TimerSlotRun | undefined;
  /** Delivered, not safe. */
  readonly #delivered = new Map<number, TimerSlotRun>();
  #timer: TimerHandle | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(
    needs: TimerServiceNeeds,
    files: TimerFiles,
    progress: TimerProgress,
    damaged: DamagedTimers,
    isCarried: (position: number) => boolean,
    seconds: TimerSeconds,
    events: DeliveryEvents,
  ) {
    this.#needs = needs;
    this.#files = files;
    this.#progress = progress;
    this.#seconds = seconds;
    this.#events = events;
    this.#damaged = damaged;
    this.#isCarried = isCarried;
    this.#durability = needs.options.flushDiskType === "SYNC_FLUSH" ? "flushed" : "written";
  }

  /** The second that is being delivered, or is next; wall ms. */
  get slotMs(): number | undefined {
    return this.#run?.slotMs ?? this.#files.next();
  }

  get isBusy(): boolean {
    return this.#run !== undefined || this.#unsettled() > 0;
  }

  /** Slots are delivered that are not safe. */
  get hasUnsafe(): boolean {
    return this.#delivered.size > 0;
  }

  start(): void {
    this.#isRunning = true;
    this.wake();
  }

  /** Begins no further slot; the one under way goes on. */
  rest(): void {
    this.#isRunning = false;
    this.#timer?.cancel();
  }

  /** Breaks the slot under way off. */
  halt(): void {
    this.#run?.stop();
    this.#run = undefined;
    this.rest();
  }

  /** Breaks the slot under way off, in case it is still not delivered when its time is over. */
  breakOff(): void {
    this.#run?.stop();
  }

  /** Forgets what was delivered and is not safe: wheel and log are made anew. */
  clear(): void {
    for (const run of this.#delivered.values()) run.stop();
    this.#delivered.clear();
    this.#run = undefined;
  }

  /** Empties the earliest slot when its second is over, or sleeps until then. */
  wake(): void {
    if (!this.#isRunning || this.#run !== undefined) return;
    if (!this.#events.mayBegin()) return;
    const slotMs = this.#files.next();
    if (slotMs === undefined || this.#delivered.size >= UNSAFE_SLOTS_MAX) return;
    if (this.#unsettled() >= UNSETTLED_MAX) return;
    const { clock, timers } = this.#needs;
    const dueInMs = slotMs + TIMER_PRECISION_MS - clock.wallMs();
    if (dueInMs <= 0) {
      // Who reads on wakes it again.
      if (this.#events.hasReached(this.#seconds.over(slotMs))) this.#empty(slotMs);
      return;
    }
    const wakeAtMs = clock.monotonicMs() + Math.min(dueInMs, WAIT_MS_MAX);
    if (this.#timer !== undefined && this.#wakeAtMs <= wakeAtMs) return;
    this.#timer?.cancel();
    this.#wakeAtMs = wakeAtMs;
    this.#timer = timers.after(wakeAtMs - clock.monotonicMs(), () => {
      this.#timer = undefined;
      this.wake();
    });
  }

  #empty(slotMs: number): void {
    const { options, clock } = this.#needs;
    const needs = {
      ...this.#needs,
      files: this.#files,
      durability: this.#durability,
      propertiesBytesMax: options.propertiesBytesMax,
      counts: this.counts,
      damaged: this.#damaged,
      isCarried: this.#isCarried,
      wallMs: () => clock.wallMs(),
    };
    let run: TimerSlotRun;
    try {
      run = new TimerSlotRun(needs, this.#ofRun, slotMs);
    } catch (error) {
      if (!(error instanceof TimerDamage || error instanceof HostError)) throw error;
      this.#events.damaged(error);
      return;
    }
    this.#run = run;
    this.#seconds.emptied();
    this.#files.take(slotMs);
    this.#progress.taken(slotMs);
    run.start();
  }

  readonly #ofRun: SlotRunEvents = {
    keep: (unit, outMs) => this.#keep(unit, outMs),
    rolled: (queueOffset) => this.#seconds.stored(queueOffset),
    delivered: (run) => {
      this.#run = undefined;
      this.#delivered.set(run.slotMs, run);
      this.retire();
      this.#events.changed();
      this.wake();
      if (!this.isBusy) this.#events.idle();
    },
    settled: () => {
      if (!this.#isRunning) {
        if (!this.isBusy) this.#events.idle();
        return;
      }
      if (this.retire()) this.#events.changed();
      this.wake();
    },
    damaged: (error) => this.#events.damaged(error),
  };

  #keep(unit: TimerUnit, outMs: number): void {
    const files = this.#files;
    const writeTimeMs = nowSlot(this.#needs.clock);
    const place = putOff(unit, writeTimeMs + this.#needs.options.timerKeptRetryMs);
    const slotMs = freeSlot(files, place.slotMs);
    if (!files.hasRoom(slotMs)) throw new HostError("EBUSY", "the wheel has no room");
    const isRoll = (place.magic & TimerMagic.ROLL) !== 0;
    const restS = isRoll ? restOf(unit.slotMs + unit.restS * 1_000, slotMs) : 0;
    files.add({ ...unit, slotMs, magic: place.magic, writeTimeMs, isPutOff: true, restS });
    files.writeOut();
    this.#progress.hold(slotMs, outMs);
  }

  /**
   * Forgets slots whose messages are safe, in the order they were emptied; whether there were any. What went round in one
   * that is not safe goes round again after a crash, and what deletes it must not be forgotten before.
   */
  retire(): boolean {
    const { flushedOffset } = this.#needs.store.status();
    let count = 0;
    for (const [slotMs, run] of this.#delivered) {
      if (!run.isSafe(flushedOffset)) break;
      try {
        this.#files.clear(slotMs);
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        this.#needs.logger.error(
          { slotMs, err: error },
          "a slot of the wheel cannot be cleared; trying again",
        );
        break;
      }
      this.#delivered.delete(slotMs);
      this.#progress.safe(slotMs);
      count++;
    }
    if (count > 0) this.#events.retired();
    return count > 0;
  }

  #unsettled(): number {
    let count = this.#run?.unsettled ?? 0;
    for (const run of this.#delivered.values()) count += run.unsettled;
    return count;
  }
}
