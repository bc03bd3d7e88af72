/**
 * Carries queue units from memory to their files, in rounds (RocketMQ: FlushConsumeQueueService). A round takes
 * the queues that have changed, writes the units of records that are durable in the log, syncs each file, then
 * tells how far the queues are on disk now: the dispatched offset of mark and checkpoint. Units of records that
 * a crash could still take back are never written.
 *
 *   quiet → waiting → running → quiet | waiting
 *   waiting: a round starts when `flushConsumeQueueLeastBytes` of log were dispatched since the last one and
 *   `flushIntervalConsumeQueue` has passed, or after `flushConsumeQueueThoroughInterval`
 *   running → waiting: a write or a sync failed; the next round starts after 5 s and writes the units again
 *   (they are still in memory), because a failed sync leaves pages that only look clean
 */
import { type Host, HostError, type Logger, type TimerHandle } from "@orbitmq/host";
import { isFull } from "../retention/space-reserve.ts";
import { atOnce, type Slices } from "../slices.ts";
import type { ResolvedStoreOptions } from "../store-options.ts";
import type { ConsumeQueue } from "./consume-queue.ts";
import type { ConsumeQueueFiles } from "./consume-queue-files.ts";

const RETRY_MS = 5_000;
/** Files written, or synced, in one slice of a blocking round. */
const SLICE_WRITES = 64;
const SLICE_SYNCS = 8;

export interface QueueFlushSource {
  /** All records below it are in their queues. */
  readonly dispatched: number;
  /** All records below it are on disk. */
  readonly flushed: number;
  /** Asks for a sync of the log; `logFlushed` is called when `flushed` has moved. */
  flushLog(): void;
  /** Where the hot tail begins. */
  readonly hotStart: number;
  /** Brings the index of all records below `offset` to disk as well; its failure is its own. */
  flushIndex(offset: number, done: () => void): void;
  /** These queues are damaged, and what follows does not hold for them; on disk before this returns. Throws HostError. */
  queuesLeftOut(queues: ReadonlySet<ConsumeQueue>): void;
  /** Units of all records below `offset` are on disk. */
  queuesFlushed(offset: number): void;
  /** There was no space; `true` when some was made. */
  releaseSpace(): boolean;
}

/** One round under way. */
interface Round {
  readonly upTo: number;
  readonly queues: readonly ConsumeQueue[];
  /** A truncation came between: what the round has done says nothing about the records there are now. */
  overtaken: boolean;
}

export class QueueFlush {
  readonly #host: Pick<Host, "files" | "timers" | "clock">;
  readonly #files: ConsumeQueueFiles;
  readonly #options: ResolvedStoreOptions;
  readonly #source: QueueFlushSource;
  readonly #logger: Logger;
  #dirty: ConsumeQueue[] = [];
  /** Queues that hold a ring; it goes when they fall silent. */
  readonly #inMemory = new Set<ConsumeQueue>();
  #timer: TimerHandle | undefined;
  #dueMs = 0;
  #round: Round | undefined;
  #closed = false;
  #held = false;
  /** A blocking round is under way. */
  #isBlocking = false;
  #lastStartMs = Number.NEGATIVE_INFINITY;
  #lastDispatched = 0;
  #whenLogFlushed: (() => void) | undefined;
  #flushedTo = 0;

  constructor(
    host: Pick<Host, "files" | "timers" | "clock">,
    files: ConsumeQueueFiles,
    options: ResolvedStoreOptions,
    source: QueueFlushSource,
    logger: Logger,
  ) {
    this.#host = host;
    this.#files = files;
    this.#options = options;
    this.#source = source;
    this.#logger = logger;
  }

  /** Units of all records below it are on disk. */
  get flushedTo(): number {
    return this.#flushedTo;
  }

  begin(offset: number): void {
    this.#flushedTo = offset;
    this.#lastDispatched = offset;
  }

  /** The queue has units its file has not. */
  queueChanged(queue: ConsumeQueue): void {
    queue.dirty = true;
    this.#dirty.push(queue);
  }

  /** The dispatched offset has moved; cheap. */
  dispatched(): void {
    if (this.#round !== undefined || this.#closed || this.#isBlocking) return;
    const { dispatched } = this.#source;
    if (dispatched === this.#lastDispatched) return;
    const { flushConsumeQueueLeastBytes, flushIntervalConsumeQueue, flushConsumeQueueThoroughInterval } =
      this.#options;
    if (this.#timer === undefined) this.#arm(flushConsumeQueueThoroughInterval);
    if (dispatched - this.#lastDispatched < flushConsumeQueueLeastBytes) return;
    const now = this.#host.clock.monotonicMs();
    const due = Math.max(now, this.#lastStartMs + flushIntervalConsumeQueue);
    if (due < this.#dueMs) this.#arm(due - now);
  }

  /** The log's flushed offset has moved. */
  logFlushed(): void {
    const go = this.#whenLogFlushed;
    this.#whenLogFlushed = undefined;
    go?.();
  }

  /**
   * A whole round, blocking: for start and stop, when the log is flushed as far as it is dispatched. Throws HostError,
   * ETIMEDOUT when `inTime` says no before the last file is synced.
   */
  flushAllSync(inTime: () => boolean = () => true): void {
    atOnce(this.flushSlices(inTime));
  }

  /** The same in slices; nothing may be dispatched between them. Queues that wait for being built again are left out. */
  *flushSlices(inTime: () => boolean = () => true): Slices<void> {
    const round: Round = { upTo: this.#source.dispatched, queues: this.#takeDirty(), overtaken: false };
    const leftOut = new Set<ConsumeQueue>();
    this.#isBlocking = true;
    try {
      const touched = new Set<string>();
      let work = 0;
      for (const queue of round.queues) {
        queue.written = queue.synced;
        if (!this.#writeWhole(queue, touched)) leftOut.add(queue);
        work += 1;
        if (work % SLICE_WRITES === 0) yield;
      }
      for (const path of touched) {
        if (!inTime())
          throw new HostError("ETIMEDOUT", `${touched.size} ConsumeQueue files take too long to sync`);
        this.#files.syncSync(path);
        work += 1;
        if (work % SLICE_SYNCS === 0) yield;
      }
      for (const folder of this.#files.unsyncedFolders()) this.#host.files.syncFolderSync(folder);
      if (leftOut.size > 0) this.#source.queuesLeftOut(leftOut);
    } catch (error) {
      this.#listAgain(round.queues);
      throw error;
    } finally {
      this.#isBlocking = false;
    }
    for (const queue of round.queues) queue.synced = queue.written;
    this.#files.foldersSynced(this.#files.unsyncedFolders());
    this.#finished(round);
  }

  /** Writes all units there are; `false` when the queue is damaged. Throws HostError. */
  #writeWhole(queue: ConsumeQueue, touched: Set<string>): boolean {
    if (queue.damaged) return false;
    try {
      for (const path of this.#files.writeUnits(queue, queue.end)) touched.add(path);
    } catch (error) {
      // It was not looked at before.
      if (queue.damaged) return false;
      throw error;
    }
    return true;
  }

  /** A truncation has cut the queues back to records below `offset`. */
  truncated(offset: number): void {
    if (this.#round !== undefined) this.#round.overtaken = true;
    if (this.#flushedTo > offset) this.#flushedTo = offset;
    if (this.#lastDispatched > offset) this.#lastDispatched = offset;
  }

  /** No round begins until `resume`: queues are being built again, and cannot be written. */
  hold(): void {
    this.#held = true;
  }

  resume(): void {
    this.#held = false;
    if (this.#dirty.length > 0 && this.#round === undefined && !this.#closed) this.#arm(0);
  }

  /** No further rounds; what one was about to write is left to `flushAllSync`. */
  close(): void {
    this.#closed = true;
    this.#cancel();
    if (this.#round !== undefined) this.#listAgain(this.#round.queues);
    this.#whenLogFlushed = undefined;
  }

  #arm(delayMs: number): void {
    this.#cancel();
    this.#dueMs = this.#host.clock.monotonicMs() + delayMs;
    this.#timer = this.#host.timers.after(delayMs, () => {
      this.#timer = undefined;
      this.#startRound();
    });
  }

  #cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #startRound(): void {
    if (this.#closed || this.#held || this.#isBlocking || this.#round !== undefined) return;
    this.#lastStartMs = this.#host.clock.monotonicMs();
    const round: Round = { upTo: this.#source.dispatched, queues: this.#takeDirty(), overtaken: false };
    this.#round = round;
    const whenDurable = (): void => {
      if (this.#source.flushed >= round.upTo || round.overtaken) this.#flushQueue(round, 0);
      else this.#whenLogFlushed = whenDurable;
    };
    whenDurable();
    if (this.#whenLogFlushed !== undefined) this.#source.flushLog();
  }

  #flushQueue(round: Round, index: number): void {
    if (this.#closed) return;
    const queue = round.queues[index];
    if (queue === undefined) {
      this.#syncFolders(round, this.#files.unsyncedFolders(), 0);
      return;
    }
    let paths: string[];
    try {
      paths = this.#files.writeUnits(queue, durableEnd(queue, round.upTo));
    } catch (error) {
      this.#failed(round, error as HostError);
      return;
    }
    this.#syncFiles(round, index, paths, queue.written);
  }

  #syncFiles(round: Round, index: number, paths: string[], written: number): void {
    const path = paths.shift();
    if (path === undefined) {
      const queue = round.queues[index]!;
      if (!round.overtaken && queue.synced < written) queue.synced = written;
      // A turn between two queues: a round over many of them must not hold up the others' work.
      this.#host.timers.afterTurn(() => this.#flushQueue(round, index + 1));
      return;
    }
    this.#files.sync(path, (error) => {
      if (error !== undefined) this.#failed(round, error);
      else this.#syncFiles(round, index, paths, written);
    });
  }

  #syncFolders(round: Round, folders: readonly string[], index: number): void {
    const folder = folders[index];
    if (folder !== undefined) {
      this.#host.files.syncFolder(folder, (error) => {
        if (error !== undefined) this.#failed(round, error);
        else this.#syncFolders(round, folders, index + 1);
      });
      return;
    }
    // Beside an overtaken round queues may be built again: a file made since a sync began is not part of it.
    if (round.overtaken) {
      this.#ended(round);
      return;
    }
    this.#files.foldersSynced(folders);
    this.#source.flushIndex(round.upTo, () => this.#ended(round));
  }

  #ended(round: Round): void {
    this.#round = undefined;
    if (this.#closed) return;
    if (round.overtaken) this.#listAgain(round.queues);
    else this.#finished(round);
    this.dispatched();
  }

  #finished({ queues, upTo }: Round): void {
    for (const queue of queues) {
      if (queue.synced < queue.end && !queue.dirty) this.queueChanged(queue);
      this.#inMemory.add(queue);
    }
    const { hotStart } = this.#source;
    for (const queue of this.#inMemory) if (queue.shrink(hotStart)) this.#inMemory.delete(queue);
    this.#lastDispatched = upTo;
    this.#flushedTo = upTo;
    this.#source.queuesFlushed(upTo);
  }

  #failed(round: Round, error: HostError): void {
    this.#logger.error({ err: error }, "ConsumeQueues cannot be written; trying again");
    this.#round = undefined;
    this.#listAgain(round.queues);
    if (this.#closed) return;
    this.#arm(isFull(error) && this.#source.releaseSpace() ? 0 : RETRY_MS);
  }

  /** The queues are written again from what is surely on disk. */
  #listAgain(queues: readonly ConsumeQueue[]): void {
    for (const queue of queues) {
      queue.written = queue.synced;
      if (!queue.dirty) this.queueChanged(queue);
    }
  }

  #takeDirty(): ConsumeQueue[] {
    const queues = this.#dirty;
    this.#dirty = [];
    for (const queue of queues) queue.dirty = false;
    return queues;
  }
}

/** One past the queue's last unit whose record ends at or below `upTo`. */
function durableEnd(queue: ConsumeQueue, upTo: number): number {
  let end = queue.end;
  while (end > queue.written && queue.physicalOffsetAt(end - 1) >= upTo) end -= 1;
  return end;
}
