/**
 * Carries the log from memory to the disk with group commit (RocketMQ: FlushManager, GroupCommitService): one
 * write into the page cache, then one fdatasync in flight while the next batch gathers behind it. Zeros ahead
 * ride on the same syncs.
 *
 *   flushed ≤ written ≤ writable ≤ appended        (writable: as far as zeros reach, at an append's end)
 *
 * A SYNC_FLUSH log enters zeros only once they are synced, so that each of its syncs carries data and nothing else.
 * An ASYNC_FLUSH log promises no more than the page cache, where the zeros are, too, and the next sync carries both:
 * it waits for no sync, and zeros are no reason for one.
 *
 *   idle → syncing → idle | syncing      one segment file per sync; zeros that ride along and a new segment's
 *                                        folder entry come first
 *   any  → failed                        a write or a sync failed: nothing is written any more, for good
 *   idle → held → idle                   truncation and stop have the files for themselves
 */
import { assert, type Clock, Histogram, type Host, type HostError, type Logger } from "@orbitmq/host";
import type { ResolvedStoreOptions } from "../store-options.ts";
import type { AckGate, GatePosition } from "./ack-gate.ts";
import { FlushSchedule } from "./flush-schedule.ts";
import type { HotTail } from "./hot-tail.ts";
import type { Segment, SegmentSet } from "./segment-set.ts";
import type { ZeroAhead } from "./zero-ahead.ts";

/**
 * Zeros written in one go beside the log's own writes, which wait for it: at least so many, twice what was appended
 * since the last ones when that is more (the pool is asked once a turn, and turns may be long), a whole chunk when
 * much lacks.
 */
const ZEROS_BESIDE_BYTES = 64 * 1024;
const ZEROS_LACKING_MUCH = 1024 * 1024;
/** How near the head that may be done, as a share of the whole distance: 0.5 MiB by default. */
const ZEROS_BESIDE_SHARE = 8;

/** Upper ends of the latencies that are counted. */
const SYNC_BOUNDS_MS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000,
];

export interface LogWriterEvents {
  /** `written` or `flushed` has moved; the waiters are settled after this. */
  positionsMoved(): void;
  /** Under SYNC_FLUSH: more is in the page cache, and nothing else has moved. */
  bytesWritten(): void;
  /** Once: writing has stopped for good. */
  writingFailed(error: HostError): void;
}

export interface LogWriterParts {
  readonly segments: SegmentSet;
  readonly tail: HotTail;
  readonly zeros: ZeroAhead;
  /** Appends that wait for the page cache, and those that wait for the disk. */
  readonly writtenGate: AckGate;
  readonly flushedGate: AckGate;
}

export class LogWriter {
  readonly #host: Pick<Host, "files" | "timers">;
  readonly #parts: LogWriterParts;
  readonly #events: LogWriterEvents;
  readonly #logger: Logger;
  readonly #syncStore: boolean;
  readonly #zeroAheadBytes: number;
  readonly #zeroChunkBytes: number;
  readonly #schedule: FlushSchedule;
  /** How long syncs of the log take, ms. */
  readonly syncLatencyMs = new Histogram(SYNC_BOUNDS_MS);
  readonly #clock: Clock;
  readonly #writtenPosition: GatePosition;
  readonly #flushedPosition: GatePosition;
  #state: "idle" | "syncing" | "held" | "failed" = "idle";
  #begin = 0;
  #appended = 0;
  #writable = 0;
  #written = 0;
  #flushed = 0;
  #turnPending = false;
  #turns = 0;
  /** The pool writes zeros. */
  #zeroing = false;
  /** End of the log when zeros were last begun beside it. */
  #zeroedBesideAt = 0;
  #flushAsked = false;
  #whenIdle: (() => void) | undefined;
  #failure: HostError | undefined;

  constructor(
    host: Pick<Host, "files" | "timers" | "clock">,
    options: ResolvedStoreOptions,
    parts: LogWriterParts,
    logger: Logger,
    events: LogWriterEvents,
  ) {
    this.#host = host;
    this.#clock = host.clock;
    this.#parts = parts;
    this.#events = events;
    this.#logger = logger;
    this.#syncStore = options.flushDiskType === "SYNC_FLUSH";
    this.#zeroAheadBytes = options.zeroAheadBytes;
    this.#zeroChunkBytes = options.zeroChunkBytes;
    this.#writtenPosition = parts.writtenGate.addPosition(0);
    this.#flushedPosition = parts.flushedGate.addPosition(0);
    this.#schedule = new FlushSchedule(host, options, () => {
      this.#flushAsked = true;
      this.#continue();
    });
  }

  get written(): number {
    return this.#written;
  }

  get flushed(): number {
    return this.#flushed;
  }

  get failed(): boolean {
    return this.#state === "failed";
  }

  /** Log bytes may be written below it. */
  get #zerosEnd(): number {
    const { synced, certain } = this.#parts.zeros;
    return this.#syncStore ? synced : certain;
  }

  /** Everything below `offset` is on disk; the next append goes there. */
  begin(offset: number): void {
    this.#begin = offset;
    this.#appended = offset;
    this.#writable = offset;
    this.#written = offset;
    this.#flushed = offset;
    this.#zeroedBesideAt = offset;
    this.#writtenPosition.advance(offset);
    this.#flushedPosition.advance(offset);
  }

  /** The log in memory now ends at `end`; an append's end. */
  appended(end: number): void {
    this.#appended = end;
    if (end <= this.#zerosEnd) this.#writable = end;
    this.wake();
  }

  /** Changes at the end of every turn that appended something. */
  get turns(): number {
    return this.#turns;
  }

  /** Looks at the end of this turn whether something can be written or synced. */
  wake(): void {
    if (this.#turnPending) return;
    this.#turnPending = true;
    this.#host.timers.afterTurn(this.#turn);
  }

  /** Calls `fn` once no sync is in flight and keeps the files untouched until `resume`; at once when failed. */
  hold(fn: () => void): void {
    assert(this.#whenIdle === undefined && this.#state !== "held", "one holder at a time");
    if (this.#state === "syncing" || this.#zeroing) {
      this.#whenIdle = fn;
      return;
    }
    if (this.#state === "idle") this.#state = "held";
    fn();
  }

  resume(): void {
    if (this.#state !== "held") return;
    this.#state = "idle";
    this.wake();
  }

  /** While held: writes and syncs all that was appended, blocking. Throws HostError after failing the store. */
  flushAllSync(): void {
    assert(this.#state === "held", "the files are ours alone");
    const { segments, zeros } = this.#parts;
    try {
      // What is beyond the synced zeros may be written too: the sync below covers both.
      this.#writable = this.#appended;
      this.#writePending();
      const from = Math.min(this.#flushed, zeros.synced);
      for (const segment of segments.all) {
        if (segment.start + segments.segmentBytes <= from || segment.writer === undefined) continue;
        if (segment.unlisted) this.#host.files.syncFolderSync(segment.folder);
        segment.unlisted = false;
        segment.writer.fdatasyncSync();
      }
    } catch (error) {
      this.fail(error as HostError);
      throw error;
    }
    this.#moveTo(this.#written, zeros.written);
    this.#settle();
  }

  /** As `fail`, at the end of this turn: nobody is called from within an append. */
  failSoon(error: HostError): void {
    this.#failure ??= error;
    this.wake();
  }

  /** Stops writing for good; waiters behind what is durable are told. */
  fail(error: HostError): void {
    if (this.#state === "failed") return;
    this.#state = "failed";
    this.#schedule.close();
    this.#parts.zeros.close();
    this.#events.writingFailed(error);
    this.#settle();
    this.#parts.writtenGate.fail(this.#written);
    this.#parts.flushedGate.fail(this.#flushed);
    if (!this.#zeroing) this.#idle();
  }

  /** Nothing is under way: the files go to who waits for them. */
  #idle(): void {
    const whenIdle = this.#whenIdle;
    this.#whenIdle = undefined;
    if (whenIdle === undefined) return;
    if (this.#state === "idle") this.#state = "held";
    whenIdle();
  }

  /** Asks for a sync of what is written, due or not. */
  flushSoon(): void {
    this.#flushAsked = true;
    this.wake();
  }

  /** While held: the log in memory has been cut to `offset`. */
  cut(offset: number): void {
    assert(this.#state === "held", "the files are ours alone");
    this.#appended = offset;
    this.#writable = Math.min(this.#writable, offset);
    this.#written = Math.min(this.#written, offset);
    this.#flushed = Math.min(this.#flushed, offset);
    this.#writtenPosition.retreat(offset);
    this.#flushedPosition.retreat(offset);
  }

  close(): void {
    this.#schedule.close();
    this.#parts.zeros.close();
  }

  readonly #turn = (): void => {
    this.#turnPending = false;
    this.#turns += 1;
    if (this.#failure === undefined) this.#continue();
    else this.fail(this.#failure);
  };

  /** Writes what can be written and starts a sync when one is due and none in flight. */
  #continue(): void {
    if (this.#state === "syncing") {
      // A batch that only waits for the disk gathers further; the page cache alone is given at once.
      if (!this.#syncStore || this.#parts.writtenGate.waiting > 0) this.#writeAndTell();
      if (!this.#syncStore) this.#topUpBeside();
      return;
    }
    if (this.#state !== "idle") return;
    if (!this.#writeAndTell()) return;
    if (!this.#syncStore) this.#topUpBeside();
    if (this.#whenIdle === undefined && this.#syncDue()) this.#startSync();
  }

  #writeAndTell(): boolean {
    const before = this.#written;
    try {
      this.#writePending();
    } catch (error) {
      this.fail(error as HostError);
      return false;
    }
    if (this.#written === before) return true;
    if (this.#syncStore) this.#events.bytesWritten();
    else {
      if (this.#schedule.written(this.#written - this.#flushed)) this.#flushAsked = true;
      this.#events.positionsMoved();
    }
    this.#writtenPosition.advance(this.#written);
    return this.#state !== "failed";
  }

  #writePending(): void {
    if (this.#writable <= this.#written) return;
    const { tail, segments } = this.#parts;
    const { slabs } = tail;
    let index = slabs.length - 1;
    while (index > 0 && slabs[index]!.start > this.#written) index -= 1;
    for (; index < slabs.length; index += 1) {
      const slab = slabs[index]!;
      const from = Math.max(this.#written, slab.start);
      const to = Math.min(slab.end, this.#writable);
      if (from >= to) continue;
      const segment = segments.at(from);
      assert(segment !== undefined, "appended bytes have a segment");
      assert(to <= segment.start + segments.segmentBytes, "a slab lies in one segment");
      const bytes = slab.bytes.subarray(from - slab.start, to - slab.start);
      segments.writer(segment).writeSync(bytes, from - segment.start);
    }
    this.#written = this.#writable;
  }

  #syncDue(): boolean {
    const { zeros, flushedGate } = this.#parts;
    if (this.#syncStore && this.#appended > zeros.synced) return true;
    if (this.#written > this.#flushed) {
      if (this.#syncStore || this.#flushAsked || flushedGate.newestEnd > this.#flushed) return true;
    }
    this.#flushAsked = false;
    return this.#syncStore && this.#zerosAreShort(zeros.synced) && zeros.full === undefined;
  }

  #zerosAreShort(zerosEnd: number): boolean {
    return zerosEnd - this.#appended < this.#zeroTarget() / 2;
  }

  /** How far zeros should run ahead: a little in a store that is hardly used, the whole distance under traffic. */
  #zeroTarget(): number {
    return Math.min(this.#zeroAheadBytes, this.#zeroChunkBytes / 2 + 4 * (this.#appended - this.#begin));
  }

  #startSync(): void {
    this.#state = "syncing";
    const { zeros } = this.#parts;
    const target = this.#appended + this.#zeroTarget();
    this.#zeroing ||= this.#syncStore && zeros.topUp(target, "log", this.#zeroChunkBytes, this.#zeroed);
    if (!this.#syncStore || !this.#zeroing) this.#sync();
  }

  readonly #zeroed = (): void => {
    this.#zeroing = false;
    if (this.#whenIdle !== undefined) {
      if (this.#state !== "failed") this.#state = "idle";
      this.#idle();
    } else if (this.#state !== "failed" && this.#writeAndTell()) {
      // What has gathered meanwhile rides on this sync.
      this.#sync();
    }
  };

  /**
   * Under ASYNC_FLUSH zeros go their own way, a little at a time: a write of the log waits while they are written.
   * Where appends could catch up with them before they are, they are written at once.
   */
  #topUpBeside(): void {
    const { zeros } = this.#parts;
    if (this.#zeroing || this.#whenIdle !== undefined || this.#failure !== undefined) return;
    const target = this.#appended + this.#zeroTarget();
    const lacking = target - zeros.written;
    if (this.#state === "failed" || lacking < this.#zeroTarget() / ZEROS_BESIDE_SHARE) return;
    // The pool is asked all the same: else the log would zero for itself as long as it is this busy.
    if (zeros.written - this.#appended < this.#zeroAheadBytes / ZEROS_BESIDE_SHARE) zeros.topUpNow(target);
    const least = lacking > ZEROS_LACKING_MUCH ? this.#zeroChunkBytes : ZEROS_BESIDE_BYTES;
    const bytesMax = Math.max(least, 2 * (this.#appended - this.#zeroedBesideAt));
    this.#zeroedBesideAt = this.#appended;
    this.#zeroing = zeros.topUp(target, "cold", bytesMax, this.#zeroedBeside);
  }

  readonly #zeroedBeside = (): void => {
    this.#zeroing = false;
    if (this.#appended <= this.#zerosEnd) this.#writable = this.#appended;
    if (this.#state === "idle" || this.#state === "failed") this.#idle();
    if (this.#state !== "failed") this.wake();
  };

  #sync(): void {
    const { zeros, segments } = this.#parts;
    const from = this.#written > this.#flushed ? this.#flushed : zeros.synced;
    const segment = segments.at(from);
    if (segment === undefined || (this.#written === this.#flushed && zeros.written === zeros.synced)) {
      this.#state = "idle";
      if (!this.#zeroing) this.#idle();
      return;
    }
    this.#flushAsked = false;
    if (!segment.unlisted) this.#syncSegment(segment);
    else {
      this.#host.files.syncFolder(segment.folder, (error) => {
        if (error !== undefined) return this.#syncFailed(error);
        segment.unlisted = false;
        this.#syncSegment(segment);
      });
    }
  }

  #syncSegment(segment: Segment): void {
    const { zeros, segments } = this.#parts;
    const end = segment.start + segments.segmentBytes;
    // While a new segment's name was synced, bytes may have been written to the one before: not part of this sync.
    const flushTo = this.#flushed >= segment.start ? Math.min(this.#written, end) : this.#flushed;
    const zerosTo = Math.min(zeros.certain, end);
    const appendedThen = this.#appended;
    const beganMs = this.#clock.monotonicMs();
    segments.writer(segment).fdatasync("log", (error) => {
      this.syncLatencyMs.record(this.#clock.monotonicMs() - beganMs);
      if (this.#state === "failed") return;
      if (error !== undefined) return this.#syncFailed(error);
      this.#moveTo(flushTo, zerosTo, appendedThen);
      this.#state = "idle";
      if (this.#whenIdle !== undefined) {
        if (!this.#zeroing) this.#state = "held";
        this.#settle();
        if (!this.#zeroing) this.#idle();
        return;
      }
      // The next batch goes to the disk before this one is answered: the disk never waits for us.
      this.#continue();
      this.#settle();
    });
  }

  #moveTo(flushedTo: number, zerosTo: number, appendedThen = this.#appended): void {
    const { zeros, segments, tail } = this.#parts;
    if (flushedTo > this.#flushed) this.#flushed = flushedTo;
    zeros.syncedTo(zerosTo);
    if (this.#appended <= this.#zerosEnd) this.#writable = this.#appended;
    else if (appendedThen <= zeros.synced && appendedThen > this.#writable) this.#writable = appendedThen;
    segments.retire(Math.min(this.#flushed, zeros.synced));
    tail.evict(this.#flushed);
    this.#schedule.flushed(this.#syncStore ? 0 : this.#written - this.#flushed);
  }

  /** Tells readers, then waiters, about what has become durable. */
  #settle(): void {
    this.#events.positionsMoved();
    this.#writtenPosition.advance(this.#written);
    this.#flushedPosition.advance(this.#flushed);
  }

  #syncFailed(error: HostError): void {
    this.#logger.fatal({ err: error }, "the log cannot be synced: the store stops writing");
    this.fail(error);
  }
}
