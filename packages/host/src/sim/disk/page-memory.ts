/**
 * Memory for pages and for what writes overwrote, cut from large pieces: an array buffer of its own for each
 * of them costs more than filling it.
 */

const PIECE_BYTES = 256 * 1024;

export class PageMemory {
  #piece = new Uint8Array(0);
  #used = 0;

  /** `length` zero bytes. */
  blank(length: number): Uint8Array {
    if (length > this.#piece.length - this.#used) {
      this.#piece = new Uint8Array(Math.max(length, PIECE_BYTES));
      this.#used = 0;
    }
    const from = this.#used;
    this.#used += length;
    return this.#piece.subarray(from, this.#used);
  }

  /** A copy of `bytes[from, to)`. */
  copy(bytes: Uint8Array, from: number, to: number): Uint8Array {
    const copied = this.blank(to - from);
    copied.set(bytes.subarray(from, to));
    return copied;
  }
}
