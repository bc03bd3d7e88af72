/** CRC-32 as records and registrations carry it: without the sign bit (RocketMQ: UtilAll.crc32). */
import * as zlib from "node:zlib";

// Every supported Node has zlib.crc32; the type definitions of the oldest one do not know it yet.
const { crc32 } = zlib as unknown as { crc32(data: Uint8Array, before?: number): number };

export function bodyCrc(bytes: Uint8Array): number {
  return crc32(bytes) & 0x7fffffff;
}

/** CRC-32 with all its bits; `before` is that of what comes before `bytes`. */
export function plainCrc32(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}
