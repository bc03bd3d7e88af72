/**
 * Cuts a byte stream into frames (RocketMQ: NettyDecoder). Grammar, big-endian:
 *
 *   frame = total:i32 serializeType:u8 headerLength:u24 header body      total = 4 + headerLength + body length
 *
 * A frame that lies wholly inside a chunk is handed on where it lies; only one that spans chunks is copied, into
 * a buffer that grows with what has arrived, never with what the length promises.
 */
import { readInt32 } from "../bytes/big-endian.ts";
import { WireError } from "../wire-error.ts";

/** RocketMQ's default limit (com.rocketmq.remoting.frameMaxLength), the four length bytes included. */
export const FRAME_BYTES_MAX = 16 * 1024 * 1024;
/** total, serializeType and headerLength. */
export const FRAME_PREFIX_BYTES = 8;
const PENDING_BYTES_MIN = 4096;

/** `buffer[start, end)` is one whole frame, its length bytes included; valid until the callback returns. */
export type FrameCallback = (buffer: Buffer, start: number, end: number) => void;

export class FrameDecoder {
  readonly #onFrame: FrameCallback;
  readonly #frameBytesMax: number;
  /** The beginning of a frame that spans chunks; `#pending[0, #pendingBytes)` has arrived. */
  #pending: Buffer | undefined;
  #pendingBytes = 0;
  #stopped = false;

  /** `onFrame` must not throw and must not call `feed`. */
  constructor(onFrame: FrameCallback, frameBytesMax: number = FRAME_BYTES_MAX) {
    this.#onFrame = onFrame;
    this.#frameBytesMax = frameBytesMax;
  }

  /** Bytes held back because their frame is incomplete. */
  get bufferedBytes(): number {
    return this.#pendingBytes;
  }

  /** No frame is handed on any more, not even of a chunk being fed; buffered bytes are dropped. */
  stop(): void {
    this.#stopped = true;
    this.#pending = undefined;
    this.#pendingBytes = 0;
  }

  /**
   * Throws WireError FRAME_TOO_LARGE or FRAME_MALFORMED when a length cannot be right, after handing on the
   * frames before it; the stream is beyond repair then and further chunks are ignored.
   */
  feed(chunk: Uint8Array): void {
    if (this.#stopped) return;
    const buffer = asBuffer(chunk);
    let at = this.#pendingBytes > 0 ? this.#fillPending(buffer) : 0;
    while (!this.#stopped && buffer.length - at >= FRAME_PREFIX_BYTES) {
      const end = at + this.#frameBytes(buffer, at);
      if (end > buffer.length) break;
      this.#onFrame(buffer, at, end);
      at = end;
    }
    if (!this.#stopped && at < buffer.length) this.#keep(buffer, at, buffer.length);
  }

  /** Appends to the pending frame and hands it on when complete; returns how much of `buffer` that took. */
  #fillPending(buffer: Buffer): number {
    let at = 0;
    if (this.#pendingBytes < FRAME_PREFIX_BYTES) {
      at = Math.min(FRAME_PREFIX_BYTES - this.#pendingBytes, buffer.length);
      this.#keep(buffer, 0, at);
      if (this.#pendingBytes < FRAME_PREFIX_BYTES) return at;
    }
    const missing = this.#frameBytes(this.#pending!, 0) - this.#pendingBytes;
    const end = Math.min(at + missing, buffer.length);
    if (end > at) this.#keep(buffer, at, end);
    if (end - at === missing) {
      const frame = this.#pending!;
      const bytes = this.#pendingBytes;
      this.#pending = undefined;
      this.#pendingBytes = 0;
      this.#onFrame(frame, 0, bytes);
    }
    return end;
  }

  #keep(buffer: Buffer, start: number, end: number): void {
    const needed = this.#pendingBytes + end - start;
    if (this.#pending === undefined || this.#pending.length < needed) {
      const grown = Buffer.allocUnsafe(this.#pendingCapacity(needed));
      if (this.#pending !== undefined) grown.set(this.#pending.subarray(0, this.#pendingBytes));
      this.#pending = grown;
    }
    buffer.copy(this.#pending, this.#pendingBytes, start, end);
    this.#pendingBytes = needed;
  }

  /** Twice what has arrived, but no more than the frame once its length is known. */
  #pendingCapacity(needed: number): number {
    const frameBytes =
      this.#pendingBytes >= FRAME_PREFIX_BYTES
        ? readInt32(this.#pending!, 0) + 4
        : this.#frameBytesMax + FRAME_PREFIX_BYTES;
    return Math.max(needed, Math.min(frameBytes, Math.max(PENDING_BYTES_MIN, 2 * needed)));
  }

  /** The length of the frame at `at`, of which the prefix is there. */
  #frameBytes(buffer: Buffer, at: number): number {
    const total = readInt32(buffer, at);
    const headerBytes = readInt32(buffer, at + 4) & 0xffffff;
    if (total < 4 + headerBytes) {
      this.stop();
      throw new WireError(
        "FRAME_MALFORMED",
        `a frame of length ${total} has a header of length ${headerBytes}`,
      );
    }
    if (total + 4 > this.#frameBytesMax) {
      this.stop();
      throw new WireError(
        "FRAME_TOO_LARGE",
        `a frame of ${total + 4} bytes exceeds the limit of ${this.#frameBytesMax}`,
      );
    }
    return total + 4;
  }
}

/** The same bytes with Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
