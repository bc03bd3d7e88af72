/**
 * The newest part of the log in memory, as a row of slabs in log order. Appends fill the last slab, the log
 * writer writes from it, tail reads are views into it. The oldest slabs leave once they are beyond the size
 * limit and durable; a slab that leaves stays alive while a reader holds it (see slab.ts).
 *
 * Positions between two slabs belong to no record: the rest of a segment behind its blank record.
 */
import { assert } from "@orbitmq/host";
import type { Slab, SlabPool } from "./slab.ts";

export class HotTail {
  readonly pool: SlabPool;
  readonly #bytesMax: number;
  readonly #slabs: Slab[] = [];
  #bytes = 0;

  constructor(pool: SlabPool, bytesMax: number) {
    this.pool = pool;
    this.#bytesMax = bytesMax;
  }

  /** Position of the oldest byte in memory; Infinity when nothing is. */
  get start(): number {
    return this.#slabs[0]?.start ?? Number.POSITIVE_INFINITY;
  }

  /** The slab that appends fill. */
  get last(): Slab | undefined {
    return this.#slabs[this.#slabs.length - 1];
  }

  /** Slabs in log order; for the log writer. */
  get slabs(): readonly Slab[] {
    return this.#slabs;
  }

  /** Adds an empty slab that begins at `position` and has room for `bytesMin`. */
  extend(position: number, bytesMin: number): Slab {
    const last = this.last;
    assert(last === undefined || last.end <= position, "slabs follow the log");
    const slab = this.pool.take(bytesMin);
    slab.start = position;
    this.#slabs.push(slab);
    this.#bytes += slab.bytes.length;
    return slab;
  }

  /** The slab that holds `position`. */
  find(position: number): Slab | undefined {
    const slabs = this.#slabs;
    let low = 0;
    let high = slabs.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const slab = slabs[middle]!;
      if (position < slab.start) high = middle - 1;
      else if (position >= slab.start + slab.used) low = middle + 1;
      else return slab;
    }
    return undefined;
  }

  /** Lets the oldest slabs go while there is more than the limit and they end at or below `durable`. */
  evict(durable: number): void {
    while (this.#bytes > this.#bytesMax && this.#slabs.length > 1 && this.#slabs[0]!.end <= durable) {
      const slab = this.#slabs.shift()!;
      this.#bytes -= slab.bytes.length;
      this.pool.disown(slab);
    }
  }

  /** Forgets everything at or behind `offset`. A slab that is cut is never appended to again: readers may hold the cut part. */
  truncate(offset: number): void {
    for (let last = this.last; last !== undefined && last.end > offset; last = this.last) {
      if (last.start < offset) {
        last.used = offset - last.start;
        last.sealed = true;
        return;
      }
      this.#drop();
    }
  }

  /** Forgets everything. */
  clear(): void {
    while (this.#slabs.length > 0) this.#drop();
  }

  #drop(): void {
    const slab = this.#slabs.pop()!;
    this.#bytes -= slab.bytes.length;
    this.pool.disown(slab);
  }
}
