/**
 * Compressed message bodies (RocketMQ: common/compression): zlib streams, LZ4 frames and Zstandard frames, told
 * apart by bits of the sysFlag. Decompression is bounded, because a few bytes may claim to be gigabytes.
 */
import { deflateSync, inflateSync } from "node:zlib";
import { decodeLz4Frame, encodeLz4Frame } from "../compression/lz4-frame.ts";
import { canDecompressZstd, compressZstd, decompressZstd, loadZstd } from "../compression/zstd.ts";
import { asBuffer } from "../frame/frame.ts";
import { WireError } from "../wire-error.ts";
import { COMPRESSION_MASK, MessageSysFlag } from "./sys-flag.ts";

export type BodyCompression = "ZLIB" | "LZ4" | "ZSTD";

/**
 * The default limit of a decompressed body: 16 times RocketMQ's default maxMessageSize, which bounds the
 * compressed one.
 */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;
/** RocketMQ's default zlib level. */
const ZLIB_LEVEL = 5;

const compressionBits = {
  ZLIB: MessageSysFlag.COMPRESSION_ZLIB,
  LZ4: MessageSysFlag.COMPRESSION_LZ4,
  ZSTD: MessageSysFlag.COMPRESSION_ZSTD,
} as const;

/** How a body is compressed; `undefined` when it is not. Throws WireError CODEC_UNAVAILABLE for unknown bits. */
export function bodyCompression(sysFlag: number): BodyCompression | undefined {
  if ((sysFlag & MessageSysFlag.COMPRESSED) === 0) return undefined;
  switch (sysFlag & COMPRESSION_MASK) {
    case 0:
    case MessageSysFlag.COMPRESSION_ZLIB:
      return "ZLIB";
    case MessageSysFlag.COMPRESSION_LZ4:
      return "LZ4";
    case MessageSysFlag.COMPRESSION_ZSTD:
      return "ZSTD";
    default:
      throw new WireError("CODEC_UNAVAILABLE", `a body's compression bits ${sysFlag & COMPRESSION_MASK}`);
  }
}

/**
 * `undefined` when bodies with this sysFlag can be decompressed now; otherwise wait for the promise first. It
 * rejects with WireError CODEC_UNAVAILABLE.
 */
export function loadBodyCodec(sysFlag: number): Promise<void> | undefined {
  return bodyCompression(sysFlag) === "ZSTD" && !canDecompressZstd() ? loadZstd() : undefined;
}

/**
 * The body as the producer gave it; itself when the sysFlag says it is not compressed.
 * Throws WireError CODEC_FAILED (damaged, or longer than `bytesMax`) or CODEC_UNAVAILABLE (see
 * {@link loadBodyCodec}).
 */
export function decompressBody(body: Uint8Array, sysFlag: number, bytesMax = BODY_BYTES_MAX): Uint8Array {
  switch (bodyCompression(sysFlag)) {
    case undefined:
      return body;
    case "ZLIB":
      return inflateBounded(body, bytesMax);
    case "LZ4":
      return decodeLz4Frame(asBuffer(body), bytesMax);
    case "ZSTD":
      return decompressZstd(asBuffer(body), bytesMax);
  }
}

/** A compressed body, and the bits its message's sysFlag gets. */
export interface CompressedBody {
  readonly body: Uint8Array;
  readonly sysFlagBits: number;
}

/** `level` is zlib's, 0 to 9. Throws WireError CODEC_UNAVAILABLE for ZSTD before Node 22.15. */
export function compressBody(
  body: Uint8Array,
  compression: BodyCompression,
  level: number = ZLIB_LEVEL,
): CompressedBody {
  return {
    body: compress(body, compression, level),
    sysFlagBits: MessageSysFlag.COMPRESSED | compressionBits[compression],
  };
}

function compress(body: Uint8Array, compression: BodyCompression, level: number): Uint8Array {
  switch (compression) {
    case "ZLIB":
      return deflateSync(body, { level });
    case "LZ4":
      return encodeLz4Frame(asBuffer(body));
    case "ZSTD":
      return compressZstd(body);
  }
}

/** Inflates a zlib stream to at most `bytesMax`. Throws WireError CODEC_FAILED. */
export function inflateBounded(bytes: Uint8Array, bytesMax: number = BODY_BYTES_MAX): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: bytesMax });
  } catch (cause) {
    throw new WireError("CODEC_FAILED", "a zlib stream is damaged or too large", { cause });
  }
}
