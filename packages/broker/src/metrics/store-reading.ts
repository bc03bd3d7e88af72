/**
 * What takes a moment to learn of the store: how old its oldest message is, how much its files take, how many messages
 * wait for which time. The disk is asked for these only when a scrape asks, the timer's wheel at most once a minute, a
 * little at a time.
 */
import type { Clock, Files, Timers } from "@orbitmq/host";
import type { DiskUseReport, MessageStore } from "@orbitmq/store";
import { readRecord, WireError } from "@orbitmq/wire";
import type { TimerService } from "../timer/timer-service.ts";

export interface StoreReadingNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly files: Files;
  readonly store: MessageStore;
  readonly timed: Pick<TimerService, "isEnabled" | "behind" | "counts" | "waitingAt">;
  /** A path on the store's disk; absent: the store is in memory. */
  readonly storePath: string | undefined;
}

/** Seconds from now; RocketMQ: TimerMetrics.timerDist. */
export const TIMER_BOUNDS_S: readonly number[] = [5, 60, 300, 900, 3_600, 14_400, 28_800, 86_400];
const SLICE_MS = 2;
const SLOTS_AT_ONCE = 256;
const TIMERS_KEPT_MS = 60_000;

export class StoreReading {
  /** Wall ms; 0: there is no message. */
  earliestMs = 0;
  diskUse: DiskUseReport | undefined;
  /** The disk the store is on. */
  space: { readonly freeBytes: number; readonly totalBytes: number } | undefined;
  /** Messages that are due between the bound before and this one. */
  timerCounts: readonly number[] = TIMER_BOUNDS_S.map(() => 0);
  readonly #needs: StoreReadingNeeds;
  #timersReadMs = Number.NEGATIVE_INFINITY;
  #waiting: (() => void)[] | undefined;

  constructor(needs: StoreReadingNeeds) {
    this.#needs = needs;
  }

  /** `done` may be called at once. */
  refresh(done: () => void): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(done);
      return;
    }
    this.#waiting = [done];
    const { store, files, storePath } = this.#needs;
    if (storePath !== undefined) this.space = files.spaceSync(storePath);
    store.recordAt(store.status().minOffset, (record) => {
      this.earliestMs = record === undefined ? 0 : storeTimestampOf(record);
      store.diskUse((_error, report) => {
        this.diskUse = report ?? this.diskUse;
        this.#readTimers(() => {
          const waiting = this.#waiting ?? [];
          this.#waiting = undefined;
          for (const each of waiting) each();
        });
      });
    });
  }

  #readTimers(done: () => void): void {
    const { clock, timed } = this.#needs;
    const nowMs = clock.monotonicMs();
    if (!timed.isEnabled || nowMs - this.#timersReadMs < TIMERS_KEPT_MS) {
      done();
      return;
    }
    this.#timersReadMs = nowMs;
    const counts = TIMER_BOUNDS_S.map(() => 0);
    if (timed.behind().waiting > 0) this.#readSlots(counts, 0, 0, done);
    else {
      this.timerCounts = counts;
      done();
    }
  }

  #readSlots(counts: number[], fromS: number, bound: number, done: () => void): void {
    const { clock, timers, timed } = this.#needs;
    const untilMs = clock.monotonicMs() + SLICE_MS;
    const beginMs = clock.wallMs();
    let second = fromS;
    let index = bound;
    while (index < TIMER_BOUNDS_S.length) {
      const end = Math.min(TIMER_BOUNDS_S[index]!, second + SLOTS_AT_ONCE);
      for (; second < end; second++) counts[index]! += timed.waitingAt(beginMs + second * 1_000);
      if (second === TIMER_BOUNDS_S[index]) index++;
      if (clock.monotonicMs() >= untilMs) {
        timers.afterTurn(() => this.#readSlots(counts, second, index, done));
        return;
      }
    }
    this.timerCounts = counts;
    done();
  }
}

function storeTimestampOf(record: Uint8Array): number {
  try {
    return readRecord(Buffer.from(record.buffer, record.byteOffset, record.byteLength)).storeTimestamp;
  } catch (error) {
    if (error instanceof WireError) return 0;
    throw error;
  }
}
