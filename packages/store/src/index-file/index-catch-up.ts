/**
 * Indexes from the log what came while the index was stalled (index-service.ts): as soon as a flush succeeds, record
 * by record in the background, until it meets the records that are noted as they come.
 *
 *   idle → waiting     the index has stalled: its flush is tried again every 10 s
 *   waiting → reading  a flush has succeeded
 *   reading → waiting  another flush has failed, or the log cannot be read
 *   reading → idle     everything readable is indexed
 *
 * Items are flushed as they gather; no more than half of what stalls the index are in memory.
 */
import type { HostError, Logger, TimerHandle } from "@orbitmq/host";
import type { LogChunk } from "../commit-log/log-tail.ts";
import { readDispatchFields } from "../dispatch/dispatch-fields.ts";
import type { IndexFlush } from "./index-flush.ts";
import type { IndexLog } from "./index-log.ts";
import type { IndexService } from "./index-service.ts";

const RETRY_MS = 10_000;
const LOG_BYTES = 256 * 1024;
const GATHER_ITEMS = 500_000;

export class IndexCatchUp {
  readonly #index: IndexService;
  readonly #flush: IndexFlush;
  readonly #log: IndexLog;
  readonly #logger: Logger;
  #timer: TimerHandle | undefined;
  #isReading = false;
  #closed = false;

  constructor(index: IndexService, flush: IndexFlush, log: IndexLog, logger: Logger) {
    this.#index = index;
    this.#flush = flush;
    this.#log = log;
    this.#logger = logger;
    index.stalled = () => index.host.timers.afterTurn(() => this.wake());
  }

  /** The log has grown, or a flush has ended: goes on where there is something to be caught up with. */
  wake(): void {
    if (this.#closed || this.#isReading || this.#index.stalledAt === undefined) return;
    if (this.#index.failure !== undefined) {
      this.#wait();
      return;
    }
    this.#isReading = true;
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #wait(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = this.#index.host.timers.after(RETRY_MS, () => {
      this.#timer = undefined;
      this.#flushThen(() => this.wake());
    });
  }

  #flushThen(then: () => void): void {
    const { stalledAt } = this.#index;
    this.#flush.run(Math.min(stalledAt ?? this.#log.readable(), this.#log.flushed()), then);
  }

  #next(): void {
    const { stalledAt, joinAt, cuts } = this.#index;
    if (this.#closed || stalledAt === undefined) {
      this.#isReading = false;
      return;
    }
    const from = Math.max(stalledAt, this.#log.start());
    this.#log.read(from, Math.min(this.#log.readable(), joinAt), LOG_BYTES, (error, chunk) => {
      if (this.#closed || cuts !== this.#index.cuts) {
        chunk?.release();
        this.#isReading = false;
        this.wake();
      } else if (chunk === undefined) this.#unreadable(from, error);
      else if (chunk.end === chunk.start) {
        // Whatever is still to be read was appended already; what comes now is noted.
        this.#index.caughtUpTo(from, this.#log.appended());
        this.#isReading = false;
        if (this.#index.stalledAt === undefined) this.#caughtUp(from);
      } else this.#take(chunk);
    });
  }

  #take(chunk: LogChunk): void {
    const index = this.#index;
    const { start, end } = chunk;
    const bytes = Buffer.from(chunk.bytes.buffer, chunk.bytes.byteOffset, chunk.bytes.length);
    for (let at = 0; bytes.length - at > 8; at += bytes.readInt32BE(at)) {
      const { topic, properties, sysFlag, storeTimestamp } = readDispatchFields(bytes, at, []);
      const skips = at === 0 ? index.keysAt(start) : 0;
      index.catchUp(start + at, storeTimestamp, topic, properties, sysFlag, skips);
    }
    chunk.release();
    index.caughtUpTo(end);
    if (index.stalledAt === undefined) {
      this.#isReading = false;
      this.#caughtUp(end);
    } else if (index.unsyncedItems < GATHER_ITEMS) index.host.timers.afterTurn(() => this.#next());
    else {
      this.#flushThen(() => {
        this.#isReading = false;
        this.wake();
      });
    }
  }

  #caughtUp(position: number): void {
    this.#logger.info({ to: position }, "the index has caught up: all messages are found by key again");
    this.#index.follow(this.#log.readable());
    this.#flushThen(() => undefined);
  }

  #unreadable(position: number, error: HostError | undefined): void {
    const next = this.#log.passOver(position);
    if (next !== undefined) {
      this.#index.missed(next);
      this.#index.caughtUpTo(next);
      this.#index.host.timers.afterTurn(() => this.#next());
      return;
    }
    this.#logger.error(
      { err: error, position },
      "messages are not indexed by key: the CommitLog cannot be read",
    );
    this.#isReading = false;
    this.#wait();
  }
}
