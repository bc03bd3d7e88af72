/**
 * Items of one IndexFile that are not on disk yet, as they go there: chunks of bytes, in order. Appending is five
 * integers into memory; writing is a view of a chunk. The block that is being filled stays in memory as a whole, for
 * its checksum.
 */
import { readInt64, writeInt64 } from "@orbitmq/wire";
import { BLOCK_ITEMS } from "./index-checksums.ts";
import { ITEM_BYTES } from "./index-layout.ts";

/** A multiple of the items in a block. */
const CHUNK_ITEMS = 4096;

/** First item of the block that holds the newest item below `end`. */
export function headStart(end: number): number {
  return end - 1 - ((end - 1) % BLOCK_ITEMS);
}

export class IndexItems {
  /** Items from here to `end` are in memory. */
  start: number;
  end: number;
  readonly #chunks: Buffer[] = [];
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
    let at = (this.end - this.#base) * ITEM_BYTES;
    const index = Math.floor(at / (CHUNK_ITEMS * ITEM_BYTES));
    let chunk = this.#chunks[index];
    if (chunk === undefined) {
      chunk = Buffer.allocUnsafeSlow(CHUNK_ITEMS * ITEM_BYTES);
      this.#chunks.push(chunk);
    }
    at -= index * CHUNK_ITEMS * ITEM_BYTES;
    chunk.writeInt32BE(hash, at);
    writeInt64(chunk, position, at + 4);
    chunk.writeInt32BE(seconds, at + 12);
    chunk.writeInt32BE(before, at + 16);
    this.end += 1;
  }

  hashAt(item: number): number {
    return this.#chunk(item).readInt32BE((item % CHUNK_ITEMS) * ITEM_BYTES);
  }

  positionAt(item: number): number {
    return readInt64(this.#chunk(item), (item % CHUNK_ITEMS) * ITEM_BYTES + 4);
  }

  secondsAt(item: number): number {
    return this.#chunk(item).readInt32BE((item % CHUNK_ITEMS) * ITEM_BYTES + 12);
  }

  beforeAt(item: number): number {
    return this.#chunk(item).readInt32BE((item % CHUNK_ITEMS) * ITEM_BYTES + 16);
  }

  /** Bytes of the items from `item` on, as far as one view reaches, at most up to `end`. */
  bytes(item: number, end: number): Buffer {
    const within = item % CHUNK_ITEMS;
    const count = Math.min(end - item, CHUNK_ITEMS - within);
    return this.#chunk(item).subarray(within * ITEM_BYTES, (within + count) * ITEM_BYTES);
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
    const chunk = Buffer.allocUnsafeSlow(CHUNK_ITEMS * ITEM_BYTES);
    head.copy(chunk, (this.start - this.#base) * ITEM_BYTES);
    this.#chunks.push(chunk);
  }

  #chunk(item: number): Buffer {
    return this.#chunks[Math.floor((item - this.#base) / CHUNK_ITEMS)]!;
  }
}
