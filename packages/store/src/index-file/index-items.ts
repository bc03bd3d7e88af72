/**
 * Items of one IndexFile that are not on disk yet, in order: chunks of integers, five to an item, as the machine has
 * them; they are turned into the file's bytes many at a time, when they are written. The block that is being filled
 * stays in memory as a whole, for its checksum.
 */
import { BLOCK_ITEMS } from "./index-checksums.ts";
import { ITEM_BYTES } from "./index-layout.ts";

/** A power of two, and a multiple of the items in a block. */
const CHUNK_ITEMS = 4096;
const WITHIN = CHUNK_ITEMS - 1;
/** Hash, upper and lower half of the position, seconds, the item before. */
const WORDS = 5;
const UPPER = 2 ** 32;

/** First item of the block that holds the newest item below `end`. */
export function headStart(end: number): number {
  return end - 1 - ((end - 1) % BLOCK_ITEMS);
}

export class IndexItems {
  /** Items from here to `end` are in memory. */
  start: number;
  end: number;
  readonly #chunks: Int32Array[] = [];
  /** Number of the first item of the first chunk. */
  #base: number;

  /** `head` holds the newest item below `end` and those before it in its block. */
  constructor(end: number, head: Buffer) {
    this.start = end - head.length / ITEM_BYTES;
    this.end = end;
    this.#base = this.start - (this.start % CHUNK_ITEMS);
    this.#load(head);
  }

  append(hash: number, position: number, seconds: number, before: number): void {
    const { end } = this;
    const words = this.#chunks[((end - this.#base) / CHUNK_ITEMS) | 0] ?? this.#grow();
    const at = (end & WITHIN) * WORDS;
    words[at] = hash;
    words[at + 1] = Math.floor(position / UPPER);
    words[at + 2] = position | 0;
    words[at + 3] = seconds;
    words[at + 4] = before;
    this.end = end + 1;
  }

  hashAt(item: number): number {
    return this.#chunk(item)[(item & WITHIN) * WORDS]!;
  }

  positionAt(item: number): number {
    const words = this.#chunk(item);
    const at = (item & WITHIN) * WORDS;
    return words[at + 1]! * UPPER + (words[at + 2]! >>> 0);
  }

  secondsAt(item: number): number {
    return this.#chunk(item)[(item & WITHIN) * WORDS + 3]!;
  }

  beforeAt(item: number): number {
    return this.#chunk(item)[(item & WITHIN) * WORDS + 4]!;
  }

  /** Bytes of the items from `item` on, at most up to `end` and to the end of a chunk; a copy. */
  bytes(item: number, end: number): Buffer {
    const within = item & WITHIN;
    const count = Math.min(end - item, CHUNK_ITEMS - within);
    const words = this.#chunk(item).slice(within * WORDS, (within + count) * WORDS);
    return Buffer.from(words.buffer, 0, words.byteLength).swap32();
  }

  /** Forgets items below `item`, which are on disk, but for the newest of them and those before it in its block. */
  release(item: number): void {
    this.start = Math.max(this.start, headStart(item));
    const whole = Math.floor((this.start - this.#base) / CHUNK_ITEMS);
    if (whole <= 0) return;
    this.#chunks.splice(0, whole);
    this.#base += whole * CHUNK_ITEMS;
  }

  /** Forgets the items from `item` on; where nothing stays in memory, `head` gives what the constructor wants. */
  cut(item: number, head: () => Buffer): void {
    this.end = item;
    if (item > this.start) return;
    const bytes = head();
    this.start = item - bytes.length / ITEM_BYTES;
    this.#chunks.length = 0;
    this.#base = this.start - (this.start % CHUNK_ITEMS);
    this.#load(bytes);
  }

  #load(head: Buffer): void {
    const words = this.#grow();
    let at = (this.start & WITHIN) * WORDS;
    for (let from = 0; from < head.length; from += 4, at += 1) words[at] = head.readInt32BE(from);
  }

  #grow(): Int32Array {
    const words = new Int32Array(CHUNK_ITEMS * WORDS);
    this.#chunks.push(words);
    return words;
  }

  #chunk(item: number): Int32Array {
    return this.#chunks[((item - this.#base) / CHUNK_ITEMS) | 0]!;
  }
}
