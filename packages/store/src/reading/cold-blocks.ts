/**
 * Catch-up reads of the log: aligned blocks, read whole and kept in a small cache that all readers share (the
 * log interleaves queues, so whoever reads one queue has read its neighbours). At most two reads are in flight
 * and memory is taken only for those; a thousand readers wait in line without any.
 *
 * A block near the head holds bytes that are not written yet; `valid` says how far its content is final, and a
 * reader that needs more has it read again.
 */
import { HostError } from "@orbitmq/host";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import type { Slab, SlabPool } from "../commit-log/slab.ts";

/** `end`: one past the last byte that was brought; others may have had the block forgotten since. */
type Loaded = (error: HostError | undefined, end: number) => void;

interface Loading {
  /** Position of the block's first byte. */
  readonly start: number;
  readonly waiters: Loaded[];
  /** One past the last byte that is being read; `undefined` while it waits for its turn. */
  end: number | undefined;
}

const IN_FLIGHT_MAX = 2;
const NOTHING = Buffer.alloc(0);

export class ColdBlocks {
  readonly blockBytes: number;
  readonly pool: SlabPool;
  readonly #segments: SegmentSet;
  readonly #blocksMax: number;
  /** By first position, in order of use. `used` of a slab is how much of it is final. */
  readonly #blocks = new Map<number, Slab>();
  /** The last of `#blocks`, unless it was dropped since. */
  #newest: Slab | undefined;
  readonly #loading = new Map<number, Loading>();
  readonly #queue: Loading[] = [];
  readonly #written: () => number;
  #inFlight = 0;
  #generation = 0;

  /** `written` tells how far the files hold what was appended. */
  constructor(segments: SegmentSet, pool: SlabPool, cacheBytes: number, written: () => number) {
    this.#segments = segments;
    this.pool = pool;
    this.blockBytes = pool.slabBytes;
    this.#blocksMax = Math.max(2, Math.floor(cacheBytes / pool.slabBytes));
    this.#written = written;
  }

  /** First position of the block that holds `position`; blocks are counted from the start of their segment. */
  blockStart(position: number): number {
    const within = position % this.#segments.segmentBytes;
    return position - (within % this.blockBytes);
  }

  /** One past the last position of the block that starts at `start`. */
  blockEnd(start: number): number {
    const left = this.#segments.segmentBytes - (start % this.#segments.segmentBytes);
    return start + Math.min(this.blockBytes, left);
  }

  /** The block that holds `position`, if it is in memory and final up to `end` (or to its own end). */
  cached(position: number, end: number): Slab | undefined {
    const start = this.blockStart(position);
    const block = this.#blocks.get(start);
    if (block === undefined || block.end < Math.min(end, this.blockEnd(start))) return undefined;
    // Neighbours come from the same block, one record after the other: it is the newest already.
    if (block !== this.#newest) {
      this.#blocks.delete(start);
      this.#blocks.set(start, block);
      this.#newest = block;
    }
    return block;
  }

  /** Reads the block that holds `position`, as far as `end` at least; `done` is called later; the block is then cached unless there was an error, or another reader called `forget`. */
  load(position: number, end: number, done: Loaded): void {
    const start = this.blockStart(position);
    const loading = this.#loading.get(start);
    if (loading === undefined) {
      this.#enqueue({ start, waiters: [done], end: undefined });
      return;
    }
    // A read of the log's end that began before these bytes were written does not bring them.
    const brings = loading.end === undefined || loading.end >= Math.min(end, this.blockEnd(start));
    loading.waiters.push(brings ? done : () => this.load(position, end, done));
  }

  /**
   * Starts to read the block that holds `position`, unless it is known or others wait for the disk. `false` when it is
   * known and the one after it may be worth a thought.
   */
  readAhead(position: number): boolean {
    const start = this.blockStart(position);
    if (this.#blocks.has(start) || this.#loading.has(start)) return false;
    if (this.#queue.length > 0 || this.blockEnd(start) > this.#written()) return true;
    this.#enqueue({ start, waiters: [], end: undefined });
    return true;
  }

  /** A copy of the bytes [position, position + length), block by block; `done` may be called at once. */
  assemble(
    position: number,
    length: number,
    done: (error: HostError | undefined, bytes: Buffer) => void,
  ): void {
    let bytes = NOTHING;
    let filled = 0;
    const step = (error?: HostError, broughtEnd = Number.POSITIVE_INFINITY): void => {
      const neededEnd = Math.min(position + length, this.blockEnd(this.blockStart(position + filled)));
      if (error !== undefined || broughtEnd < neededEnd) {
        done(error ?? new HostError("EIO", `the CommitLog ends before ${neededEnd}`), NOTHING);
        return;
      }
      while (filled < length) {
        const at = position + filled;
        const block = this.cached(at, position + length);
        if (block === undefined) {
          this.load(at, position + length, step);
          return;
        }
        if (filled === 0) bytes = Buffer.allocUnsafe(length);
        const part = Math.min(block.end, position + length) - at;
        block.bytes.copy(bytes, filled, at - block.start, at - block.start + part);
        filled += part;
      }
      done(undefined, bytes);
    };
    step();
  }

  /** Forgets the blocks of a record that turned out damaged: the disk may give better ones the next time. */
  forget(position: number, length: number): void {
    for (let at = position; at < position + length; at = this.blockEnd(this.blockStart(at))) {
      const block = this.#blocks.get(this.blockStart(at));
      if (block !== undefined) this.#drop(block);
    }
  }

  /** Forgets everything, also what is being read. */
  clear(): void {
    this.#generation += 1;
    for (const block of this.#blocks.values()) this.pool.disown(block);
    this.#blocks.clear();
  }

  #enqueue(loading: Loading): void {
    this.#loading.set(loading.start, loading);
    this.#queue.push(loading);
    this.#startNext();
  }

  #startNext(): void {
    while (this.#inFlight < IN_FLIGHT_MAX) {
      const loading = this.#queue.shift();
      if (loading === undefined) return;
      this.#inFlight += 1;
      this.#read(loading);
    }
  }

  #read(loading: Loading): void {
    const { start, waiters } = loading;
    const generation = this.#generation;
    const block = this.pool.take(this.blockBytes);
    block.start = start;
    const finish = (error: HostError | undefined, final: number) => {
      this.#inFlight -= 1;
      this.#loading.delete(start);
      block.used = final;
      if (error !== undefined || generation !== this.#generation) this.pool.disown(block);
      else this.#keep(block);
      for (const waiter of waiters) waiter(error, start + final);
      this.#startNext();
    };
    const segment = this.#segments.at(start);
    const length = Math.min(this.#written(), this.blockEnd(start)) - start;
    loading.end = start + length;
    try {
      if (segment === undefined || length <= 0) {
        throw new HostError("ENOENT", `no segment of the CommitLog holds offset ${start}`);
      }
      this.#segments
        .reader(segment)
        .read("cold", block.bytes.subarray(0, length), start - segment.start, finish);
    } catch (error) {
      finish(error as HostError, 0);
    }
  }

  #keep(block: Slab): void {
    const before = this.#blocks.get(block.start);
    if (before !== undefined) this.#drop(before);
    this.#blocks.set(block.start, block);
    this.#newest = block;
    for (const oldest of this.#blocks.values()) {
      if (this.#blocks.size <= this.#blocksMax) return;
      this.#drop(oldest);
    }
  }

  #drop(block: Slab): void {
    this.#blocks.delete(block.start);
    this.pool.disown(block);
  }
}
