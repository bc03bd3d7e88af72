/**
 * Zeros that run ahead of the log's head, so that an append overwrites blocks the file already has: its
 * fdatasync then carries data only, no change of the file's extents, and it cannot find the disk full.
 *
 *   head ≤ synced ≤ written ≤ limit
 *
 * `written` zeros are reserved space: an append is accepted only below it. `synced` zeros are on disk: log bytes
 * are written only below it. Zeros go out in chunks, each in a turn of the log's own sync (a chunk of 256 KiB
 * adds a third of a millisecond to one fdatasync in many; zeroing in bulk stalls it for fifty). A segment is
 * created when the zeros reach its start. `limit` comes from the mark file: recovery looks for leftovers only
 * below it.
 *
 *   ready ⇄ full: a chunk found no space (ENOSPC); tried again after 0.5 s, doubling up to 5 s
 *   ready → broken: a chunk failed otherwise; no space is given out any more
 */
import {
  assert,
  type Host,
  HostError,
  type Logger,
  type OpenFile,
  type TimerHandle,
  type Timers,
} from "@orbitmq/host";
import type { SegmentSet } from "./segment-set.ts";

const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 5_000;

export interface ZeroAheadEvents {
  /** Space has come back, or zeros were written outside an append: a sync is due. */
  zerosWritten(): void;
  /** An error other than a full disk; may be called within an append. */
  zeroingFailed(error: HostError): void;
}

export class ZeroAhead {
  readonly #timers: Timers;
  readonly #segments: SegmentSet;
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

  constructor(
    host: Pick<Host, "timers">,
    segments: SegmentSet,
    chunkBytes: number,
    logger: Logger,
    events: ZeroAheadEvents,
  ) {
    this.#timers = host.timers;
    this.#segments = segments;
    this.#zeros = Buffer.alloc(chunkBytes);
    this.#logger = logger;
    this.#events = events;
  }

  get written(): number {
    return this.#written;
  }

  get synced(): number {
    return this.#synced;
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

  /** Writes one more chunk unless zeros already run to `target`, the limit is reached or the disk is full. */
  topUp(target: number): void {
    if (this.#written < target && this.#full === undefined && this.#broken === undefined)
      this.#writeChunk(this.#written + 1);
  }

  /** Stops retrying. */
  close(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
  }

  #writeChunk(end: number): boolean {
    const start = this.#written;
    const { segmentBytes } = this.#segments;
    const segmentEnd = start - (start % segmentBytes) + segmentBytes;
    const length = Math.min(this.#zeros.length, segmentEnd - start, this.#limit - start);
    if (length <= 0) return false;
    try {
      const writer = this.#writerAt(start);
      writer.writeSync(
        length === this.#zeros.length ? this.#zeros : this.#zeros.subarray(0, length),
        start % segmentBytes,
      );
    } catch (error) {
      this.#refused(error, end);
      return false;
    }
    this.#written = start + length;
    return true;
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
      this.#logger.error(
        { err: error },
        "the disk is full: sends are refused, reads go on, writing resumes when space returns",
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
