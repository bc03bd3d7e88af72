/**
 * Bytes that are the same in many frames, copied a word at a time: a third of what a loop over bytes costs, and for
 * a few dozen bytes less than the engine's own copy.
 */

export class PreparedWords {
  readonly byteLength: number;
  /** How many bytes {@link write} may touch. */
  readonly reach: number;
  readonly #words: Int32Array;

  constructor(bytes: Uint8Array) {
    this.byteLength = bytes.length;
    this.#words = new Int32Array(Math.ceil(bytes.length / 4));
    const view = new DataView(this.#words.buffer);
    bytes.forEach((byte, at) => void view.setUint8(at, byte));
    for (let at = 0; at < this.#words.length; at++) this.#words[at] = view.getInt32(4 * at);
    this.reach = 4 * this.#words.length;
  }

  /** Writes the bytes at `at` and returns where they end; up to three bytes behind them are overwritten. */
  write(into: DataView, at: number): number {
    const words = this.#words;
    for (let i = 0; i < words.length; i++) into.setInt32(at + 4 * i, words[i]!);
    return at + this.byteLength;
  }
}
