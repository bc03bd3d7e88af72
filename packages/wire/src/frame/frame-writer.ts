/**
 * Writes frames one after the other into pooled chunks, so that everything a connection has to say in one turn
 * leaves with one write. Header fields go straight to their final place; small slices of a body are copied behind
 * them, larger ones stay slices of their own.
 *
 * Life of a batch: `frame` (any number of times) → `take` → the socket has written it → `release`.
 */
import { assert } from "@orbitmq/host";
import { LanguageCode, languageName } from "../tables/language-code.ts";
import { WireError } from "../wire-error.ts";
import { BinaryExtSink, JsonExtSink } from "./ext-sinks.ts";
import { FRAME_BYTES_MAX, FRAME_PREFIX_BYTES } from "./frame.ts";
import { FrameBuffer } from "./frame-buffer.ts";
import { FrameChunkPool } from "./frame-chunk-pool.ts";
import { type ExtSink, SERIALIZE_JSON, SERIALIZE_ROCKETMQ, type SerializeType } from "./remoting-command.ts";

/** One frame to be written. */
export interface OutgoingFrame {
  /** Codes that do not fit 16 bits are written as JSON whatever this says. */
  readonly serializeType: SerializeType;
  readonly code: number;
  readonly language: number;
  readonly version: number;
  readonly opaque: number;
  readonly flag: number;
  readonly remark?: string | undefined;
  readonly header?: ((sink: ExtSink) => void) | undefined;
  /** Must not change until the batch is released. */
  readonly body?: readonly Uint8Array[] | undefined;
}

/** A response that writes its whole frame itself, in the ROCKETMQ encoding, from parts made beforehand. */
export interface PreparedFrame {
  /** Appends the frame to `out`, having reserved what it takes. Must not throw. */
  writeFrame(out: FrameBuffer, opaque: number, language: number, version: number): void;
}

export interface FrameWriterOptions {
  /** Default: a pool of its own. */
  readonly pool?: FrameChunkPool;
  /** A longer frame is refused. Default 16 MiB. */
  readonly frameBytesMax?: number;
  /**
   * Slices of a body up to this length are copied behind the header instead of staying slices. Default 1 KiB: a copy
   * of so many bytes costs less than one more buffer in a socket's write.
   */
  readonly copiedSliceBytesMax?: number;
}

const HEADER_BYTES_MAX = 0xffffff;
/** code, language, version, opaque, flag, remarkLength. */
const BINARY_HEADER_BYTES = 17;

export class FrameWriter {
  readonly #pool: FrameChunkPool;
  readonly #frameBytesMax: number;
  readonly #copiedSliceBytesMax: number;
  readonly #out: FrameBuffer;
  readonly #binary: BinaryExtSink;
  readonly #json: JsonExtSink;
  #bytes = 0;
  #writing = false;

  constructor(options: FrameWriterOptions = {}) {
    this.#pool = options.pool ?? new FrameChunkPool();
    this.#frameBytesMax = options.frameBytesMax ?? FRAME_BYTES_MAX;
    this.#copiedSliceBytesMax = options.copiedSliceBytesMax ?? 1024;
    this.#out = new FrameBuffer(this.#pool);
    this.#binary = new BinaryExtSink(this.#out);
    this.#json = new JsonExtSink(this.#out);
  }

  /** Bytes of the frames written since the last `take`. */
  get byteLength(): number {
    return this.#bytes;
  }

  /**
   * Appends one frame and returns its length. When the header callback throws or the frame is too long
   * (WireError FRAME_TOO_LARGE), nothing is appended. The callback must not use this writer.
   */
  frame(frame: OutgoingFrame): number {
    assert(!this.#writing, "a header callback does not write frames");
    const out = this.#out;
    out.begin();
    this.#writing = true;
    try {
      const bytes = this.#write(frame);
      this.#bytes += bytes;
      return bytes;
    } catch (error) {
      out.rollBack();
      throw error;
    } finally {
      this.#writing = false;
    }
  }

  /** Appends one frame that writes itself, and returns its length. */
  preparedFrame(frame: PreparedFrame, opaque: number, language: number, version: number): number {
    assert(!this.#writing, "a header callback does not write frames");
    const out = this.#out;
    out.begin();
    frame.writeFrame(out, opaque, language, version);
    const bytes = out.at - out.frameStart;
    this.#bytes += bytes;
    return bytes;
  }

  #write(frame: OutgoingFrame): number {
    const out = this.#out;
    out.reserve(FRAME_PREFIX_BYTES);
    out.at += FRAME_PREFIX_BYTES;
    const isBinary = frame.serializeType === SERIALIZE_ROCKETMQ && (frame.code << 16) >> 16 === frame.code;
    if (isBinary) this.#binaryHeader(frame);
    else this.#jsonHeader(frame);
    const headerBytes = out.at - out.frameStart - FRAME_PREFIX_BYTES;
    const { body } = frame;
    let bodyBytes = 0;
    if (body !== undefined) for (let i = 0; i < body.length; i++) bodyBytes += body[i]!.length;
    const total = 4 + headerBytes + bodyBytes;
    if (headerBytes > HEADER_BYTES_MAX || total + 4 > this.#frameBytesMax) {
      throw new WireError(
        "FRAME_TOO_LARGE",
        `a frame of ${total + 4} bytes exceeds the limit of ${this.#frameBytesMax}`,
      );
    }
    out.setInt32(out.frameStart, total);
    out.setInt32(out.frameStart + 4, headerBytes | ((isBinary ? SERIALIZE_ROCKETMQ : SERIALIZE_JSON) << 24));
    if (bodyBytes > 0) out.appendSlices(body!, this.#copiedSliceBytesMax);
    return total + 4;
  }

  #binaryHeader(frame: OutgoingFrame): void {
    const out = this.#out;
    const remark = frame.remark ?? "";
    out.reserve(BINARY_HEADER_BYTES + 3 * remark.length + 4);
    out.writeInt16(frame.code);
    out.chunk[out.at++] = frame.language < 0 ? LanguageCode.OTHER : frame.language;
    out.writeInt16(frame.version);
    out.writeInt32(frame.opaque);
    out.writeInt32(frame.flag);
    const remarkAt = out.at - out.frameStart;
    out.at += 4;
    out.setInt32(out.frameStart + remarkAt, out.writeText(remark));
    const extAt = out.at + 4 - out.frameStart;
    out.writeInt32(0);
    if (frame.header !== undefined) {
      frame.header(this.#binary);
      out.setInt32(out.frameStart + extAt - 4, out.at - out.frameStart - extAt);
    }
  }

  #jsonHeader(frame: OutgoingFrame): void {
    const { header, remark } = frame;
    this.#text(`{"code":${frame.code}`);
    if (header !== undefined) {
      this.#text(',"extFields":{');
      this.#json.restart();
      header(this.#json);
    }
    this.#text(
      `${header === undefined ? "" : "}"},"flag":${frame.flag},"language":"${languageName(frame.language) ?? "OTHER"}"` +
        `,"opaque":${frame.opaque}${remark === undefined ? "" : `,"remark":${JSON.stringify(remark)}`}` +
        `,"serializeTypeCurrentRPC":"JSON","version":${frame.version}}`,
    );
  }

  #text(text: string): void {
    this.#out.reserve(3 * text.length);
    this.#out.writeText(text);
  }

  /** The frames so far, for one write; `undefined` when there are none. */
  take(): FrameBatch | undefined {
    if (this.#bytes === 0) return undefined;
    const { slices, chunks } = this.#out.take();
    const batch = new FrameBatch(slices, this.#bytes, chunks, this.#pool);
    this.#bytes = 0;
    return batch;
  }
}

/** Frames on their way into a socket: `slices` are written in order, then `release` is called, once. */
export class FrameBatch {
  readonly slices: readonly Uint8Array[];
  readonly byteLength: number;
  #chunks: readonly Buffer[] | undefined;
  readonly #pool: FrameChunkPool;

  constructor(
    slices: readonly Uint8Array[],
    byteLength: number,
    chunks: readonly Buffer[],
    pool: FrameChunkPool,
  ) {
    this.slices = slices;
    this.byteLength = byteLength;
    this.#chunks = chunks;
    this.#pool = pool;
  }

  /** Nobody reads the slices any more: their memory is used again. */
  release(): void {
    const chunks = this.#chunks;
    assert(chunks !== undefined, "a frame batch is released once");
    this.#chunks = undefined;
    for (const chunk of chunks) this.#pool.give(chunk);
  }
}
