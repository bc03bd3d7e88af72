/**
 * Zeros that run ahead of the log's head, so that an append overwrites blocks the file already has: its
 * fdatasync then carries data only, no change of the file's extents, and it cannot find the disk full.
 *
 *   head ≤ synced ≤ certain ≤ written ≤ limit
 *
 * `written` zeros are reserved space: an append is accepted only below it. `synced` zeros are on disk: log bytes
 * are written only below it, or, where the page cache is all that is promised, below `certain`.
 *
 * Zeros go out in chunks and by a thread of the pool, because the memory that the page cache takes for them costs
 * more than the log's bytes written over them later; under SYNC_FLUSH each chunk goes in front of one of the log's
 * own syncs. (A chunk of 256 KiB adds a third of a millisecond to one fdatasync in many; zeroing in bulk stalls it
 * for fifty.) Only an append that finds no space has them written at once; should the pool be writing the same
 * zeros, they are written twice, and no log bytes go there before both are done. A segment is created when the
 * zeros reach its start. `limit` comes from the mark file: recovery looks for leftovers only below it.
 *
 *   ready ⇄ full: a chunk found no space (ENOSPC); tried again after 0.5 s, doubling up to 5 s
 *   ready → broken: a chunk failed otherwise; no space is given out any more
 */
import {
  assert,
  type Host,
  HostError,
  type Lane,
  type Logger,
  type OpenFile,
  type TimerHandle,
  type Timers,
} from "@orbitmq/host";
import type { SegmentSet } from "./segment-set.ts";

/** Chunks the pool may be asked to write in one go. */
const CHUNKS_AT_ONCE_MAX = 4;
const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 5_000;

export interface ZeroAheadEvents {
  /** Why the log may take no more space, although the disk may have some; `undefined` when it may. */
  spaceRefused(): HostError | undefined;
  /** Space has come back, or zeros were written outside an append: a sync is due. */
  zerosWritten(): void;
  /** An error other than a full disk; may be called within an append. */
  zeroingFailed(error: HostError): void;
}

export class ZeroAhead {
  readonly #timers: Timers;
  readonly #segments: SegmentSet;
  readonly #chunkBytes: number;
  readonly #zeros: Buffer;
  readonly #logger: Logger;
  readonly #events: ZeroAheadEvents;
  #written = 0;
  #synced = 0;
  #limit = 0;
  #full: HostError | undefined;
  #broken: HostError | undefined;
  #retryMs = RETRY_FIRST_MS;
  #retry: TimerHandle | undefined;
  #wanted = 0;
  /** Where the zeros begin that the pool is writing. */
  #flightStart = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(
    host: Pick<Host, "timers">,
    segments: SegmentSet,
    chunkBytes: number,
    logger: Logger,
    events: ZeroAheadEvents,
  ) {
    this.#timers = host.timers;
    this.#segments = segments;
    this.#chunkBytes = chunkBytes;
    // Never written to: the system gives it one page of zeros, however long it is.
    this.#zeros = Buffer.alloc(CHUNKS_AT_ONCE_MAX * chunkBytes);
    this.#logger = logger;
    this.#events = events;
  }

  get written(): number {
    return this.#written;
  }

  get synced(): number {
    return this.#synced;
  }

  /** Below it nobody writes zeros any more. */
  get certain(): number {
    return Math.min(this.#written, this.#flightStart);
  }

  get limit(): number {
    return this.#limit;
  }

  /** Why there is no space; `undefined` while there is. */
  get full(): HostError | undefined {
    return this.#full;
  }

  /** The log was cut to `offset`; up to `end` of its segment zeros are on disk behind it. */
  cut(offset: number, end: number): void {
    this.#written = Math.max(offset, Math.min(this.#written, end));
    this.#synced = this.#written;
  }

  /** Why zeros cannot be written at all. */
  get broken(): HostError | undefined {
    return this.#broken;
  }

  /** Sets the start: everything below `offset` is on disk, nothing behind it is zeroed. */
  begin(offset: number): void {
    this.#written = offset;
    this.#synced = offset;
  }

  /** The mark allows writing below `limit`. */
  raiseLimit(limit: number): void {
    if (limit > this.#limit) this.#limit = limit;
  }

  /** All zeros below `offset` are on disk. */
  syncedTo(offset: number): void {
    if (offset > this.#synced) this.#synced = offset;
  }

  /** Makes room up to `end` at once. `false` when there is none: the disk is full, the limit reached, or zeroing failed. */
  reserve(end: number): boolean {
    if (end <= this.#written) return true;
    if (this.#broken !== undefined) return false;
    if (this.#full !== undefined) {
      this.#wanted = Math.max(this.#wanted, end);
      return false;
    }
    while (this.#written < end) if (!this.#writeChunk(end)) return false;
    return true;
  }

  /** Writes one more chunk at once unless zeros already run to `target`, the limit is reached or the disk is full. */
  topUpNow(target: number): void {
    if (this.#written < target && this.#full === undefined && this.#broken === undefined)
      this.#writeChunk(this.#written + 1);
  }

  /**
   * Has at most `bytesMax` (no more than four chunks) written on the pool and calls `done`, written or not; false,
   * and no call, when zeros already run to `target`, the limit is reached or the disk is full. One at a time.
   */
  topUp(target: number, lane: Lane, bytesMax: number, done: () => void): boolean {
    assert(this.#flightStart === Number.POSITIVE_INFINITY, "one chunk of zeros at a time");
    const start = this.#written;
    if (start >= target || this.#full !== undefined || this.#broken !== undefined) return false;
    const length = this.#lengthFrom(start, Math.min(bytesMax, this.#zeros.length));
    if (length <= 0) return false;
    let writer: OpenFile;
    try {
      const refused = this.#events.spaceRefused();
      if (refused !== undefined) throw refused;
      writer = this.#writerAt(start);
    } catch (error) {
      this.#refused(error, start + 1);
      return false;
    }
    this.#flightStart = start;
    writer.write(lane, this.#chunk(length), start % this.#segments.segmentBytes, (error) => {
      this.#flightStart = Number.POSITIVE_INFINITY;
      if (error === undefined) this.#written = Math.max(this.#written, start + length);
      else if (!this.#closed) this.#refused(error, start + 1);
      done();
    });
    return true;
  }

  /** Stops retrying. */
  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  #writeChunk(end: number): boolean {
    const start = this.#written;
    const length = this.#lengthFrom(start, this.#chunkBytes);
    if (length <= 0) return false;
    try {
      const refused = this.#events.spaceRefused();
      if (refused !== undefined) throw refused;
      this.#writerAt(start).writeSync(this.#chunk(length), start % this.#segments.segmentBytes);
    } catch (error) {
      this.#refused(error, end);
      return false;
    }
    this.#written = start + length;
    return true;
  }

  #lengthFrom(start: number, bytesMax: number): number {
    const { segmentBytes } = this.#segments;
    const segmentEnd = start - (start % segmentBytes) + segmentBytes;
    return Math.min(bytesMax, segmentEnd - start, this.#limit - start);
  }

  #chunk(length: number): Buffer {
    return length === this.#zeros.length ? this.#zeros : this.#zeros.subarray(0, length);
  }

  #writerAt(offset: number): OpenFile {
    const segment =
      this.#segments.at(offset) ?? this.#segments.create(offset - (offset % this.#segments.segmentBytes));
    return this.#segments.writer(segment);
  }

  #refused(error: unknown, wanted: number): void {
    assert(error instanceof HostError, "files fail with HostError");
    if (error.code !== "ENOSPC" && error.code !== "EDQUOT") {
      this.#broken = error;
      this.#events.zeroingFailed(error);
      return;
    }
    if (this.#full === undefined) {
      const neededBytes = Math.max(wanted - this.#written, this.#zeros.length);
      this.#logger.error(
        { err: error, neededBytes },
        `the disk is full: sends are refused, reads go on, writing resumes when ${neededBytes} bytes are free`,
      );
    }
    this.#full = error;
    this.#wanted = Math.max(this.#wanted, wanted);
    this.#retry ??= this.#timers.after(this.#retryMs, this.#tryAgain);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MOST_MS);
  }

  readonly #tryAgain = (): void => {
    this.#retry = undefined;
    const wanted = Math.max(this.#wanted, this.#written + 1);
    while (this.#written < wanted && this.#writeChunk(wanted));
    if (this.#retry !== undefined) return;
    this.#full = undefined;
    this.#wanted = 0;
    this.#retryMs = RETRY_FIRST_MS;
    this.#logger.info("the disk has space again: sends are accepted");
    this.#events.zerosWritten();
  };
}
