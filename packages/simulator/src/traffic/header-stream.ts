/**
 * Finds the headers in a stream of frames and passes over the bodies without keeping them. It only watches:
 * lengths that cannot be right are the business of the programs at both ends.
 */

/** `buffer[start, end)` is a frame's prefix and header; valid until the callback returns. */
export type HeaderCallback = (buffer: Buffer, start: number, end: number) => void;

const PREFIX_BYTES = 8;
const TOTAL_BYTES = 4;

export class HeaderStream {
  readonly #onHeader: HeaderCallback;
  /** Bytes of the current frame's body that are still to pass. */
  #bodyLeft = 0;
  /** A prefix and header that spans chunks. */
  #kept: Buffer = Buffer.alloc(0);
  #keptBytes = 0;

  constructor(onHeader: HeaderCallback) {
    this.#onHeader = onHeader;
  }

  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#bodyLeft > 0) {
        const part = Math.min(this.#bodyLeft, chunk.length - at);
        this.#bodyLeft -= part;
        at += part;
      } else if (this.#keptBytes > 0) at = this.#fillKept(chunk, at);
      else {
        const bytes = chunk.length - at < PREFIX_BYTES ? PREFIX_BYTES : headBytes(chunk, at);
        if (bytes > chunk.length - at) {
          this.#keep(chunk, at, chunk.length);
          return;
        }
        this.#bodyLeft = frameBytes(chunk, at) - bytes;
        this.#onHeader(chunk, at, at + bytes);
        at += bytes;
      }
    }
  }

  #fillKept(chunk: Buffer, at: number): number {
    if (this.#keptBytes < PREFIX_BYTES) {
      const end = Math.min(chunk.length, at + PREFIX_BYTES - this.#keptBytes);
      this.#keep(chunk, at, end);
      return end;
    }
    const bytes = headBytes(this.#kept, 0);
    const end = Math.min(chunk.length, at + bytes - this.#keptBytes);
    this.#keep(chunk, at, end);
    if (this.#keptBytes < bytes) return end;
    this.#keptBytes = 0;
    this.#bodyLeft = frameBytes(this.#kept, 0) - bytes;
    this.#onHeader(this.#kept, 0, bytes);
    return end;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    const needed = this.#keptBytes + end - start;
    if (needed > this.#kept.length) {
      const grown = Buffer.allocUnsafe(Math.max(256, needed * 2));
      this.#kept.copy(grown, 0, 0, this.#keptBytes);
      this.#kept = grown;
    }
    chunk.copy(this.#kept, this.#keptBytes, start, end);
    this.#keptBytes = needed;
  }
}

function headBytes(buffer: Buffer, at: number): number {
  return PREFIX_BYTES + buffer.readUIntBE(at + TOTAL_BYTES + 1, 3);
}

function frameBytes(buffer: Buffer, at: number): number {
  return TOTAL_BYTES + buffer.readInt32BE(at);
}
