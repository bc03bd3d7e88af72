/**
 * Compressed message bodies (RocketMQ: common/compression): zlib streams, LZ4 frames, Zstandard frames, told by
 * bits of the sysFlag. Decompression is bounded, because a body of a few bytes may claim to be gigabytes.
 */
import { deflateSync, inflateSync } from "node:zlib";
import { WireError } from "./wire-error.ts";

/** Decompressed bodies may not be larger. RocketMQ's own limit for bodies is 4 MiB, configurable. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;

/** Inflates a zlib stream of at most `bytesMax` once inflated. Throws WireError CODEC_FAILED. */
export function inflateBounded(bytes: Uint8Array, bytesMax: number = BODY_BYTES_MAX): Buffer {
  try {
    return inflateSync(bytes, { maxOutputLength: bytesMax });
  } catch (cause) {
    throw new WireError("CODEC_FAILED", "a zlib stream is damaged or too large", { cause });
  }
}

export function deflate(bytes: Uint8Array, level = 5): Buffer {
  return deflateSync(bytes, { level });
}
