/**
 * When an ASYNC_FLUSH log is synced (RocketMQ: FlushRealTimeService): `flushIntervalCommitLog` after bytes were
 * written, if there are `flushCommitLogLeastPages` of them; fewer wait until `flushCommitLogThoroughInterval`
 * after the last sync. The timer runs only while something is not flushed. Ours: when an eighth of `unflushedBytesMax`
 * waits, a sync is due at once, so that a disk which keeps up never has senders refused for the interval's sake.
 */
import type { Clock, TimerHandle, Timers } from "@orbitmq/host";
import type { ResolvedStoreOptions } from "../store-options.ts";

const PAGE_BYTES = 4096;
/** The share of `unflushedBytesMax` that waits for no timer: 8 MiB by default. */
const DUE_AT_ONCE_SHARE = 8;

export class FlushSchedule {
  readonly #host: { readonly timers: Timers; readonly clock: Clock };
  readonly #options: ResolvedStoreOptions;
  readonly #due: () => void;
  #timer: TimerHandle | undefined;
  #unflushedBytes = 0;
  #lastFlushMs: number;

  /** `due` is called when it is time to sync. */
  constructor(
    host: { readonly timers: Timers; readonly clock: Clock },
    options: ResolvedStoreOptions,
    due: () => void,
  ) {
    this.#host = host;
    this.#options = options;
    this.#due = due;
    this.#lastFlushMs = host.clock.monotonicMs();
  }

  /** Tells how much is written and not flushed, after every write; whether it is so much that a sync is due now. */
  written(unflushedBytes: number): boolean {
    this.#unflushedBytes = unflushedBytes;
    if (unflushedBytes > 0) this.#arm();
    return unflushedBytes >= this.#options.unflushedBytesMax / DUE_AT_ONCE_SHARE;
  }

  /** Tells how much is still not flushed, after every sync. */
  flushed(unflushedBytes: number): void {
    this.#unflushedBytes = unflushedBytes;
    this.#lastFlushMs = this.#host.clock.monotonicMs();
    if (unflushedBytes > 0) this.#arm();
    else this.close();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer ??= this.#host.timers.after(this.#options.flushIntervalCommitLog, this.#tick);
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    const { flushCommitLogLeastPages, flushCommitLogThoroughInterval } = this.#options;
    const enough = this.#unflushedBytes >= flushCommitLogLeastPages * PAGE_BYTES;
    const late = this.#host.clock.monotonicMs() - this.#lastFlushMs >= flushCommitLogThoroughInterval;
    if (enough || late) this.#due();
    else this.#arm();
  };
}
