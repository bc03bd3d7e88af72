/** Chunks that frames are written into, shared by the writers of many connections; an idle connection holds none. */
export class FrameChunkPool {
  readonly chunkBytes: number;
  readonly #chunksMax: number;
  readonly #free: Buffer[] = [];

  /** Chunks of `chunkBytes` (default 16 KiB), of which `chunksMax` (default 256) are kept while not in use. */
  constructor(chunkBytes = 16 * 1024, chunksMax = 256) {
    this.chunkBytes = chunkBytes;
    this.#chunksMax = chunksMax;
  }

  /** A chunk of at least `bytesMin`, its content undefined. */
  take(bytesMin: number): Buffer {
    if (bytesMin > this.chunkBytes) return Buffer.allocUnsafeSlow(bytesMin);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.chunkBytes);
  }

  /** Oversized chunks are left to the garbage collector. */
  give(chunk: Buffer): void {
    if (chunk.length === this.chunkBytes && this.#free.length < this.#chunksMax) this.#free.push(chunk);
  }
}
