/**
 * Follows the end of the log for those who carry it elsewhere. Nothing is queued for a follower: it is told, at
 * most once per step, that there is more, and reads it at its own pace by position, from memory while it keeps up
 * and from disk when it lags. A follower sees what consumers see: under SYNC_FLUSH nothing that is not on disk yet. One
 * that answers for the difference itself may ask for what is only written, to have it sooner.
 */
import { assert, HostError, type PhysicalOffset, physicalOffset } from "@orbitmq/host";
import { MAGIC_BLANK, RecordField } from "@orbitmq/wire";
import type { Damages } from "../integrity/damages.ts";
import type { ColdBlocks } from "../reading/cold-blocks.ts";
import { searchAnyRecord } from "../reading/log-search.ts";
import { whatIsDamaged } from "../reading/record-check.ts";
import type { HotTail } from "./hot-tail.ts";

export interface LogChunk {
  readonly start: PhysicalOffset;
  readonly end: PhysicalOffset;
  /** Whole records from `start` on, unchanged until `release`; none when there is nothing yet. Of a blank only its eight bytes are given; `end` is the next segment's start then. */
  readonly bytes: Uint8Array;
  /** Exactly once. */
  release(): void;
}

export type ChunkRead = (error: HostError | undefined, chunk: LogChunk | undefined) => void;

const NOTHING = Buffer.alloc(0);

/** What is there to follow, as positions. */
export interface TailEnds {
  /** What consumers may see. */
  readonly readable: () => number;
  /** What is in the page cache. */
  readonly written: () => number;
}

export interface TailOptions {
  /** Give records that are written and maybe not on disk: a crash may take them back. Default false. */
  readonly unflushed?: boolean;
}

export interface TailFollower {
  /** There is more than at the last `next`. Must not throw. */
  logGrew(): void;
  /** The log was cut to `offset`, which lies below the follower's position; it goes on from there. */
  logCut(offset: PhysicalOffset): void;
}

export class TailSubscription {
  readonly #tail: LogTail;
  readonly #follower: TailFollower;
  #position: number;
  #busy = false;
  #cuts = 0;
  readonly #end: () => number;
  #told: number;

  constructor(tail: LogTail, follower: TailFollower, position: number, end: () => number) {
    this.#tail = tail;
    this.#follower = follower;
    this.#position = position;
    this.#end = end;
    this.#told = end();
  }

  /** Where the next chunk starts. */
  get position(): PhysicalOffset {
    return physicalOffset(this.#position);
  }

  /** Reads the next records, at most `bytesMax` of them or a single longer one, and moves behind them; one call at a time. `done` may be called at once. */
  next(bytesMax: number, done: ChunkRead): void {
    assert(!this.#busy, "one read of a subscription at a time");
    const start = this.#position;
    const cuts = this.#cuts;
    this.#busy = true;
    this.#tail.read(start, this.#end(), bytesMax, (error, chunk) => {
      this.#busy = false;
      if (cuts !== this.#cuts) {
        chunk?.release();
        this.next(bytesMax, done);
        return;
      }
      if (chunk !== undefined) this.#position = chunk.end;
      done(error, chunk);
    });
  }

  close(): void {
    this.#tail.remove(this);
  }

  /** For the tail only. */
  moved(): void {
    const end = this.#end();
    if (end === this.#told) return;
    this.#told = end;
    this.#follower.logGrew();
  }

  /** For the tail only. */
  cut(offset: number): void {
    this.#told = Math.min(this.#told, offset);
    if (offset >= this.#position) return;
    this.#cuts += 1;
    this.#position = offset;
    this.#follower.logCut(physicalOffset(offset));
  }
}

export class LogTail {
  readonly #hot: HotTail;
  readonly #cold: ColdBlocks;
  readonly #segmentBytes: number;
  readonly #ends: TailEnds;
  readonly #damages: Damages;
  readonly #subscriptions = new Set<TailSubscription>();

  constructor(hot: HotTail, cold: ColdBlocks, segmentBytes: number, ends: TailEnds, damages: Damages) {
    this.#damages = damages;
    this.#hot = hot;
    this.#cold = cold;
    this.#segmentBytes = segmentBytes;
    this.#ends = ends;
  }

  subscribe(position: number, follower: TailFollower, options: TailOptions = {}): TailSubscription {
    const end = options.unflushed === true ? this.#ends.written : this.#ends.readable;
    const subscription = new TailSubscription(this, follower, position, end);
    this.#subscriptions.add(subscription);
    return subscription;
  }

  remove(subscription: TailSubscription): void {
    this.#subscriptions.delete(subscription);
  }

  /** A position has moved. */
  moved(): void {
    for (const subscription of this.#subscriptions) subscription.moved();
  }

  truncated(offset: number): void {
    for (const subscription of this.#subscriptions) subscription.cut(offset);
  }

  /** Whole records from `start` on that end at or below `limit`. */
  read(start: number, limit: number, bytesMax: number, done: ChunkRead): void {
    const segmentEnd = start - (start % this.#segmentBytes) + this.#segmentBytes;
    const end = Math.min(limit, segmentEnd);
    const slab = this.#hot.find(start);
    if (end <= start) {
      done(
        undefined,
        chunkOf(start, start, NOTHING, () => {}),
      );
    } else if (slab === undefined) {
      this.#readCold(start, Math.min(end - start, bytesMax, this.#cold.blockBytes), end, done);
    } else {
      const { pool } = this.#hot;
      const bytes = slab.bytes.subarray(start - slab.start, Math.min(end, slab.end) - slab.start);
      const { length, isClosed } = wholeRecords(bytes, bytesMax);
      pool.retain(slab);
      const next = isClosed ? segmentEnd : start + length;
      done(
        undefined,
        chunkOf(start, next, bytes.subarray(0, length), () => pool.release(slab)),
      );
    }
  }

  /** Where the first whole record behind `position` begins, of those that end at or below `limit` on disk. */
  behind(position: number, limit: number, done: (position: number | undefined) => void): void {
    const parts = { cold: this.#cold, segmentBytes: this.#segmentBytes };
    const end = Math.min(limit, this.#ends.written());
    searchAnyRecord(parts, position + 1, end, (found) =>
      done(found.record === undefined ? undefined : found.position),
    );
  }

  #readCold(start: number, length: number, end: number, done: ChunkRead): void {
    this.#cold.assemble(start, length, (error, bytes) => {
      if (error !== undefined) {
        done(error, undefined);
        return;
      }
      const whole = wholeRecords(bytes, length);
      const first = bytes.length >= 4 ? bytes.readInt32BE(0) : 8;
      if (whole.length === 0 && first > length && start + first <= end) {
        this.#readCold(start, first, end, done);
        return;
      }
      if (whole.length === 0) {
        this.#damages.corruptLog(start, `its size is ${first}`);
        done(new HostError("EIO", `the record at ${start} of the CommitLog is damaged`), undefined);
        return;
      }
      const undamaged = this.#undamaged(bytes.subarray(0, whole.length), start);
      if (undamaged < whole.length) {
        if (undamaged === 0) {
          done(new HostError("EIO", `the record at ${start} of the CommitLog is damaged`), undefined);
          return;
        }
        done(
          undefined,
          chunkOf(start, start + undamaged, bytes.subarray(0, undamaged), () => {}),
        );
        return;
      }
      const next = whole.isClosed
        ? start - (start % this.#segmentBytes) + this.#segmentBytes
        : start + whole.length;
      done(
        undefined,
        chunkOf(start, next, bytes.subarray(0, whole.length), () => {}),
      );
    });
  }

  /** How many of the bytes, records read from disk, are what was once written. */
  #undamaged(bytes: Buffer, start: number): number {
    let at = 0;
    while (at < bytes.length && bytes.readInt32BE(at + RecordField.MAGIC) !== MAGIC_BLANK) {
      const size = bytes.readInt32BE(at);
      const damage = whatIsDamaged(bytes, at, size, start + at);
      if (damage !== undefined) {
        this.#damages.corruptLog(start + at, damage);
        return at;
      }
      at += size;
    }
    return bytes.length;
  }
}

/** How many bytes at the start are whole records, at most `bytesMax` or a single one; `isClosed` when a blank ends them. */
function wholeRecords(bytes: Buffer, bytesMax: number): { length: number; isClosed: boolean } {
  let at = 0;
  while (bytes.length - at >= 8) {
    if (bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_BLANK) return { length: at + 8, isClosed: true };
    const size = bytes.readInt32BE(at);
    if (size <= 0 || size > bytes.length - at || (at > 0 && at + size > bytesMax)) break;
    at += size;
  }
  return { length: at, isClosed: false };
}

function chunkOf(start: number, end: number, bytes: Uint8Array, release: () => void): LogChunk {
  let released = false;
  return {
    start: physicalOffset(start),
    end: physicalOffset(end),
    bytes,
    release() {
      assert(!released, "a chunk is released once");
      released = true;
      release();
    },
  };
}
