/**
 * Items of records that were appended and are not readable yet: noted when the record is encoded, in a ring, so
 * that nothing is parsed again.
 */
/** Items looked ahead at; more would push each other out of the cache. */
const AHEAD_MAX = 256;

export class PendingItems {
  #hashes = new Int32Array(1024);
  #positions = new Float64Array(1024);
  #ends = new Float64Array(1024);
  #timestamps = new Float64Array(1024);
  #head = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(hash: number, position: number, end: number, timestamp: number): void {
    if (this.#count === this.#ends.length) this.#grow();
    const slot = (this.#head + this.#count) & (this.#ends.length - 1);
    this.#hashes[slot] = hash;
    this.#positions[slot] = position;
    this.#ends[slot] = end;
    this.#timestamps[slot] = timestamp;
    this.#count += 1;
  }

  /** Hands over hashes of items that `take` with the same limit will hand over, some that follow each other at a time. */
  ahead(limit: number, touch: (hashes: Int32Array, from: number, to: number) => void): void {
    const mask = this.#ends.length - 1;
    let from = this.#head;
    for (let left = Math.min(this.#count, AHEAD_MAX); left > 0; ) {
      let to = from;
      while (left > 0 && to <= mask && this.#ends[to]! <= limit) {
        to += 1;
        left -= 1;
      }
      if (to > from) touch(this.#hashes, from, to);
      if (to <= mask) return;
      from = 0;
    }
  }

  /** Hands over the items of records that end at or below `limit`, oldest first. */
  take(limit: number, put: (hash: number, position: number, timestamp: number) => void): void {
    while (this.#count > 0 && this.#ends[this.#head]! <= limit) {
      const slot = this.#head;
      this.#head = (slot + 1) & (this.#ends.length - 1);
      this.#count -= 1;
      put(this.#hashes[slot]!, this.#positions[slot]!, this.#timestamps[slot]!);
    }
  }

  /** Forgets items of records that end behind `offset`. */
  cut(offset: number): void {
    while (this.#count > 0) {
      const slot = (this.#head + this.#count - 1) & (this.#ends.length - 1);
      if (this.#ends[slot]! <= offset) return;
      this.#count -= 1;
    }
  }

  clear(): void {
    this.#count = 0;
  }

  #grow(): void {
    const length = this.#ends.length;
    const hashes = new Int32Array(length * 2);
    const positions = new Float64Array(length * 2);
    const ends = new Float64Array(length * 2);
    const timestamps = new Float64Array(length * 2);
    for (let index = 0; index < this.#count; index += 1) {
      const from = (this.#head + index) & (length - 1);
      hashes[index] = this.#hashes[from]!;
      positions[index] = this.#positions[from]!;
      ends[index] = this.#ends[from]!;
      timestamps[index] = this.#timestamps[from]!;
    }
    this.#hashes = hashes;
    this.#positions = positions;
    this.#ends = ends;
    this.#timestamps = timestamps;
    this.#head = 0;
  }
}
