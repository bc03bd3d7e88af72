/**
 * Zstandard: Node's own where it has it (22.15, 23.8 and later), else the package fzstd, loaded on first use,
 * which decompresses only. Both are bounded: the frame's window before decoding, its output while decoding.
 */
import * as zlib from "node:zlib";
import { WireError } from "../wire-error.ts";

interface NativeZstd {
  zstdCompressSync?(bytes: Uint8Array, options?: object): Buffer;
  zstdDecompressSync?(bytes: Uint8Array, options?: { maxOutputLength?: number }): Buffer;
}

// The oldest supported Node and its type definitions do not have these functions.
const native = zlib as unknown as NativeZstd;

type Fzstd = typeof import("fzstd");
let fzstd: Fzstd | undefined;
let loading: Promise<void> | undefined;

const MAGIC = 0xfd2fb528;

export function canDecompressZstd(): boolean {
  return native.zstdDecompressSync !== undefined || fzstd !== undefined;
}

export function canCompressZstd(): boolean {
  return native.zstdCompressSync !== undefined;
}

/** Makes {@link decompressZstd} work. Rejects with WireError CODEC_UNAVAILABLE. */
export function loadZstd(): Promise<void> {
  loading ??= import("fzstd").then(
    (module) => {
      fzstd = module;
    },
    (cause: unknown) => {
      loading = undefined;
      throw new WireError("CODEC_UNAVAILABLE", "this Node has no Zstandard and fzstd is not installed", {
        cause,
      });
    },
  );
  return loading;
}

/** Throws WireError CODEC_UNAVAILABLE where Node has no Zstandard of its own. */
export function compressZstd(bytes: Uint8Array): Buffer {
  if (native.zstdCompressSync === undefined) {
    throw new WireError("CODEC_UNAVAILABLE", "compressing with Zstandard needs Node 22.15 or later");
  }
  return native.zstdCompressSync(bytes);
}

/** Throws WireError CODEC_UNAVAILABLE before {@link loadZstd}, CODEC_FAILED for damaged or too large content. */
export function decompressZstd(bytes: Buffer, bytesMax: number): Buffer {
  try {
    if (native.zstdDecompressSync !== undefined) {
      return native.zstdDecompressSync(bytes, { maxOutputLength: bytesMax });
    }
    if (fzstd !== undefined) return decompressWith(fzstd, bytes, bytesMax);
  } catch (cause) {
    if (cause instanceof WireError) throw cause;
    throw new WireError("CODEC_FAILED", "a Zstandard frame is damaged or too large", { cause });
  }
  throw new WireError("CODEC_UNAVAILABLE", "Zstandard is not loaded yet; see loadBodyCodec");
}

function decompressWith({ Decompress }: Fzstd, bytes: Buffer, bytesMax: number): Buffer {
  const frame = bytes.subarray(0, checkFrame(bytes, bytesMax));
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = new Decompress((chunk) => {
    length += chunk.length;
    if (length > bytesMax) {
      throw new WireError("CODEC_FAILED", `a Zstandard frame grows beyond ${bytesMax} bytes`);
    }
    chunks.push(Uint8Array.prototype.slice.call(chunk));
  });
  stream.push(frame, true);
  return Buffer.concat(chunks, length);
}

/**
 * Walks the first frame's blocks: its window must not exceed `bytesMax`, so that nobody allocates what a few
 * bytes promise. Returns where the frame ends; what follows is not decoded.
 */
function checkFrame(bytes: Buffer, bytesMax: number): number {
  if (bytes.length < 6 || bytes.readUInt32LE(0) !== MAGIC) throw failed("its magic is wrong");
  const descriptor = bytes[4]!;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = descriptor >> 6 === 0 ? (isSingleSegment ? 1 : 0) : 1 << (descriptor >> 6);
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  let at = 5 + (isSingleSegment ? 0 : 1) + dictionaryBytes;
  if (at + contentSizeBytes > bytes.length) throw failed("it is cut off");
  if (!isSingleSegment) {
    const window = 2 ** (10 + (bytes[5]! >> 3));
    if (window + (window / 8) * (bytes[5]! & 7) > Math.max(bytesMax, WINDOW_BYTES_MIN)) {
      throw failed("its window is too large");
    }
  }
  if (contentSizeBytes > 0 && contentSize(bytes, at, contentSizeBytes) > bytesMax) {
    throw failed("its content is too large");
  }
  at += contentSizeBytes;
  for (;;) {
    if (at + 3 > bytes.length) throw failed("it is cut off");
    const block = bytes.readUIntLE(at, 3);
    at += 3 + (((block >> 1) & 3) === RLE_BLOCK ? 1 : block >> 3);
    if ((block & 1) !== 0) break;
  }
  at += (descriptor & 4) !== 0 ? 4 : 0;
  if (at > bytes.length) throw failed("it is cut off");
  return at;
}

/** Encoders use a window of a few megabytes even for small contents. */
const WINDOW_BYTES_MIN = 8 * 1024 * 1024;
const RLE_BLOCK = 1;

function contentSize(bytes: Buffer, at: number, length: number): number {
  if (length === 8) return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
  return bytes.readUIntLE(at, length) + (length === 2 ? 256 : 0);
}

function failed(what: string): WireError {
  return new WireError("CODEC_FAILED", `a Zstandard frame is damaged: ${what}`);
}
