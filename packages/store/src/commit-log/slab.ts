/**
 * Pooled memory with a count of who still reads it. A record is encoded once into a slab; the file write, later
 * pulls and the sockets they go out on all use those same bytes, so a slab may be filled anew only when the last
 * of them has let go.
 *
 *   free → taken (references = 1, its owner's) → retained by readers → owner lets go (disowned)
 *        → last release: free again (standard size) or dropped
 *
 * `pinnedBytes` is what disowned slabs still occupy because of readers: the part of memory that peers, not we,
 * decide about. Beyond a limit readers get copies instead.
 */
import { assert } from "@orbitmq/host";

export class Slab {
  readonly bytes: Buffer;
  /** The same bytes, for words written whole. */
  readonly view: DataView;
  /** Position in the log of `bytes[0]`. */
  start = 0;
  /** How many bytes, from the first, are filled. */
  used = 0;
  references = 0;
  disowned = false;
  /** Nothing is appended to it any more: readers may hold bytes behind `used`. */
  sealed = false;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get end(): number {
    return this.start + this.used;
  }
}

/** Free slabs kept for reuse when nobody says otherwise. */
const FREE_MAX = 4;

export class SlabPool {
  readonly slabBytes: number;
  readonly #freeMax: number;
  readonly #free: Slab[] = [];
  #pinnedBytes = 0;

  /** Keeps up to `freeMax` slabs (default 4) that are not in use; more are left to the garbage collector. */
  constructor(slabBytes: number, freeMax = FREE_MAX) {
    this.slabBytes = slabBytes;
    this.#freeMax = freeMax;
  }

  get pinnedBytes(): number {
    return this.#pinnedBytes;
  }

  /** A slab of at least `bytesMin` bytes with one reference, the caller's. Its content is arbitrary. */
  take(bytesMin: number): Slab {
    let slab = bytesMin <= this.slabBytes ? this.#free.pop() : undefined;
    if (slab === undefined) slab = new Slab(Buffer.allocUnsafeSlow(Math.max(bytesMin, this.slabBytes)));
    assert(slab.references === 0, "a slab in the pool has no readers");
    slab.start = 0;
    slab.used = 0;
    slab.references = 1;
    slab.disowned = false;
    slab.sealed = false;
    return slab;
  }

  retain(slab: Slab): void {
    assert(slab.references > 0, "only a live slab can be retained");
    slab.references += 1;
  }

  /** Gives back one reader's reference. */
  release(slab: Slab): void {
    assert(slab.references > 0, "a slab is released no more often than retained");
    slab.references -= 1;
    if (slab.references > 0) return;
    if (slab.disowned) this.#pinnedBytes -= slab.bytes.length;
    if (slab.bytes.length === this.slabBytes && this.#free.length < this.#freeMax) this.#free.push(slab);
  }

  /** Gives back the owner's reference; readers may keep the slab alive. */
  disown(slab: Slab): void {
    assert(!slab.disowned, "a slab has one owner");
    slab.disowned = true;
    this.#pinnedBytes += slab.bytes.length;
    this.release(slab);
  }
}
