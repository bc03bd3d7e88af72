/**
 * The head of the log (RocketMQ: CommitLog): decides where the next record goes and hands out the memory it is
 * encoded into. A record never crosses the end of a segment: when record and eight bytes more do not fit, a
 * blank record fills the rest and the next segment begins. Which bytes are in memory, written, durable is the
 * business of hot-tail.ts, log-writer.ts, zero-ahead.ts.
 *
 *   blank: remaining:i32 MAGIC_BLANK:i32 …undefined…
 */
import { assert } from "@orbitmq/host";
import { writeBlank } from "@orbitmq/wire";
import type { HotTail } from "./hot-tail.ts";
import type { LogWriter } from "./log-writer.ts";
import type { Slab } from "./slab.ts";
import type { ZeroAhead } from "./zero-ahead.ts";

/** Bytes kept free behind every record, for a blank one. */
export const BLANK_BYTES = 8;

export class CommitLog {
  readonly #tail: HotTail;
  readonly #zeros: ZeroAhead;
  readonly #writer: LogWriter;
  readonly #segmentBytes: number;
  #appended = 0;

  constructor(tail: HotTail, zeros: ZeroAhead, writer: LogWriter, segmentBytes: number) {
    this.#tail = tail;
    this.#zeros = zeros;
    this.#writer = writer;
    this.#segmentBytes = segmentBytes;
  }

  /** End of what was appended: where the next record goes, unless a segment ends before. */
  get appended(): number {
    return this.#appended;
  }

  /** The largest record, or batch of records, that fits into a segment at all. */
  get recordBytesMax(): number {
    return this.#segmentBytes - BLANK_BYTES;
  }

  begin(offset: number): void {
    this.#appended = offset;
  }

  /**
   * Finds the place for `bytes` contiguous bytes of records and reserves it on disk, closing the segment with a
   * blank record when they do not fit. Returns -1, having changed nothing, when no space can be reserved.
   */
  place(bytes: number): number {
    assert(bytes > 0 && bytes <= this.recordBytesMax, "records fit into a segment");
    const within = this.#appended % this.#segmentBytes;
    const left = this.#segmentBytes - within;
    if (bytes + BLANK_BYTES <= left) return this.#zeros.reserve(this.#appended + bytes) ? this.#appended : -1;
    const next = this.#appended + left;
    if (!this.#zeros.reserve(next + bytes)) return -1;
    this.closeSegment();
    return next;
  }

  /** Reserves space on disk up to `end`. */
  reserve(end: number): boolean {
    return this.#zeros.reserve(end);
  }

  /** Fills the rest of the segment with a blank record, for which space must have been reserved. */
  closeSegment(): void {
    const left = this.#segmentBytes - (this.#appended % this.#segmentBytes);
    const slab = this.memory(BLANK_BYTES);
    writeBlank(slab.bytes, slab.used - BLANK_BYTES, left);
    // A blank that fits exactly leaves no gap behind it: the next segment still gets a slab of its own.
    slab.sealed = true;
    this.#appended += left - BLANK_BYTES;
  }

  /** Memory for the next `bytes` bytes of a placed record: the last `bytes` used ones of the slab returned. */
  memory(bytes: number): Slab {
    let slab = this.#tail.last;
    if (
      slab === undefined ||
      slab.sealed ||
      slab.end !== this.#appended ||
      slab.bytes.length - slab.used < bytes
    ) {
      slab = this.#tail.extend(this.#appended, bytes);
    }
    slab.used += bytes;
    this.#appended += bytes;
    return slab;
  }

  /** The same for all appends of one turn of the event loop, another one in the next. */
  get turn(): number {
    return this.#writer.turns;
  }

  /** Everything handed out by `memory` has been filled: the log may write it. */
  commit(): void {
    this.#writer.appended(this.#appended);
  }
}
