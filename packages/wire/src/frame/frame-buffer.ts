/**
 * The growing memory behind a FrameWriter: a chunk being filled, and what came before it. A header lies in one
 * chunk; when it does not fit, its beginning moves to a new chunk and everything before it becomes a slice. A body
 * may go on in the next chunk.
 *
 *   chunk:  … sliced | segmentStart … whole frames … frameStart … frame being written … at | free
 */
import type { FrameChunkPool } from "./frame-chunk-pool.ts";

/** Beyond this many characters the engine's own UTF-8 writer beats a loop. */
const LOOP_CHARACTERS_MAX = 48;

export class FrameBuffer {
  /** Where the next byte goes; {@link reserve} first. */
  chunk: Buffer;
  /** The same bytes: whole words are written several times as fast as single bytes. */
  view: DataView;
  at = 0;
  #pool: FrameChunkPool;
  #chunks: Buffer[] = [];
  #slices: Uint8Array[] = [];
  #segmentStart = 0;
  #frameStart = 0;

  constructor(pool: FrameChunkPool) {
    this.#pool = pool;
    this.chunk = EMPTY;
    this.view = NO_VIEW;
  }

  /** Begins a frame; returns nothing because its place may still move. */
  begin(): void {
    this.#frameStart = this.at;
  }

  /** Where the frame being written starts now. */
  get frameStart(): number {
    return this.#frameStart;
  }

  /** Forgets the frame being written. */
  rollBack(): void {
    this.at = this.#frameStart;
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    if (this.chunk.length - this.at < bytes) this.#grow(bytes);
  }

  #grow(bytes: number): void {
    const old = this.chunk;
    const frameBytes = this.at - this.#frameStart;
    const needed = frameBytes + bytes;
    const grown = this.#pool.take(needed <= this.#pool.chunkBytes ? needed : 2 * needed);
    grown.set(old.subarray(this.#frameStart, this.at));
    if (this.#frameStart > this.#segmentStart) {
      this.#slices.push(old.subarray(this.#segmentStart, this.#frameStart));
    }
    if (this.#frameStart > 0) this.#chunks.push(old);
    else if (old.length > 0) this.#pool.give(old);
    this.#setChunk(grown);
    this.at = frameBytes;
  }

  /**
   * Appends the body of the frame, whose header is complete: slices up to `copiedBytesMax` are copied, longer ones stay
   * slices of their own.
   */
  appendSlices(slices: readonly Uint8Array[], copiedBytesMax: number): void {
    for (let i = 0; i < slices.length; i++) {
      const slice = slices[i]!;
      const { length } = slice;
      if (length > copiedBytesMax) {
        this.#closeSegment();
        this.#slices.push(slice);
        continue;
      }
      // Unlike a header, a body may go on in another chunk.
      if (this.chunk.length - this.at < length) this.#nextChunk(length);
      this.chunk.set(slice, this.at);
      this.at += length;
    }
  }

  #nextChunk(bytes: number): void {
    this.#closeSegment();
    if (this.chunk.length > 0) this.#chunks.push(this.chunk);
    this.#setChunk(this.#pool.take(bytes));
    this.at = 0;
  }

  #setChunk(chunk: Buffer): void {
    this.chunk = chunk;
    this.view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    this.#segmentStart = 0;
    this.#frameStart = 0;
  }

  #closeSegment(): void {
    if (this.at > this.#segmentStart) this.#slices.push(this.chunk.subarray(this.#segmentStart, this.at));
    this.#segmentStart = this.at;
  }

  /** Hands over everything and starts afresh. */
  take(): { readonly slices: Uint8Array[]; readonly chunks: Buffer[] } {
    this.#closeSegment();
    if (this.chunk.length > 0) this.#chunks.push(this.chunk);
    const taken = { slices: this.#slices, chunks: this.#chunks };
    this.#slices = [];
    this.#chunks = [];
    this.chunk = EMPTY;
    this.view = NO_VIEW;
    this.at = 0;
    this.#segmentStart = 0;
    this.#frameStart = 0;
    return taken;
  }

  /** Writes UTF-8 text and returns its length in bytes; room for 3 bytes a character must be reserved. */
  writeText(text: string): number {
    const { chunk, at } = this;
    const length = text.length;
    if (length <= LOOP_CHARACTERS_MAX) {
      let i = 0;
      for (; i < length; i++) {
        const unit = text.charCodeAt(i);
        if (unit > 0x7f) break;
        chunk[at + i] = unit;
      }
      if (i === length) {
        this.at = at + length;
        return length;
      }
    }
    const bytes = chunk.write(text, at, "utf8");
    this.at = at + bytes;
    return bytes;
  }

  /** Writes a safe integer in decimal and returns how many digits and sign that took; reserve 17. */
  writeDecimal(value: number): number {
    const { chunk } = this;
    const start = this.at;
    let at = start;
    let rest = value;
    if (rest < 0) {
      chunk[at++] = 0x2d;
      rest = -rest;
    }
    let digits = 1;
    for (let bound = 10; rest >= bound; bound *= 10) digits++;
    let end = at + digits;
    this.at = end;
    while (rest > 0x7fffffff) {
      const quotient = Math.floor(rest / 10);
      chunk[--end] = 0x30 + (rest - quotient * 10);
      rest = quotient;
    }
    let small = rest | 0;
    do {
      const quotient = (small / 10) | 0;
      chunk[--end] = 0x30 + (small - quotient * 10);
      small = quotient;
    } while (end > at);
    return this.at - start;
  }

  /** Room for the bytes must be reserved. */
  writeBytes(bytes: Uint8Array): void {
    this.chunk.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** The first `length` of `bytes`; for a few a loop beats `set`. */
  writeShortBytes(bytes: Uint8Array, length: number): void {
    const { chunk, at } = this;
    for (let i = 0; i < length; i++) chunk[at + i] = bytes[i]!;
    this.at = at + length;
  }

  writeInt32(value: number): void {
    this.setInt32(this.at, value);
    this.at += 4;
  }

  setInt32(at: number, value: number): void {
    const { chunk } = this;
    chunk[at] = value >>> 24;
    chunk[at + 1] = value >>> 16;
    chunk[at + 2] = value >>> 8;
    chunk[at + 3] = value;
  }

  writeInt16(value: number): void {
    const { chunk, at } = this;
    chunk[at] = value >>> 8;
    chunk[at + 1] = value;
    this.at = at + 2;
  }
}

const EMPTY = Buffer.alloc(0);
const NO_VIEW = new DataView(new ArrayBuffer(0));
