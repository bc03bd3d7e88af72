/**
 * CRC-32 as records and registrations carry it: without the sign bit (RocketMQ: UtilAll.crc32), and with all its
 * bits over ranges of memory. A call of the engine's own function, and the view it wants of the bytes, cost more than
 * a loop over half a kilobyte: short ranges are summed here, sixteen bytes at a time, by tables (crc32.bench.ts).
 *
 * A checksum is the remainder of a polynomial, so that of two ranges one behind the other follows from those of both:
 *
 *   crc(AB) = crc(A) · x^(8·|B|) + crc(B)          modulo the polynomial, bits reflected
 */
import * as zlib from "node:zlib";

// Every supported Node has zlib.crc32; the type definitions of the oldest one do not know it yet.
const { crc32 } = zlib as unknown as { crc32(data: Uint8Array, before?: number): number };

const POLYNOMIAL = 0xedb88320 | 0;
/** Longer ranges are the engine's. */
const LOOP_BYTES_MAX = 512;
/** 1 and x^8, the highest power in the lowest bit. */
const ONE = 0x80000000 | 0;
const BYTE = 0x00800000;
const POWERS = 4096;

/** Table `k` holds, for each byte, its part of the sum when `k` bytes follow it. */
const TABLES = new Int32Array(16 * 256);
for (let byte = 0; byte < 256; byte++) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (POLYNOMIAL & -(sum & 1));
  TABLES[byte] = sum;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256]!;
  TABLES[at] = (before >>> 8) ^ TABLES[before & 255]!;
}

/** x^(8·n) for n below {@link POWERS}, and for its multiples; made when they are first wanted. */
let powers: Int32Array | undefined;
let highPowers: Int32Array | undefined;

export function bodyCrc(bytes: Uint8Array): number {
  return crc32(bytes) & 0x7fffffff;
}

/** CRC-32 with all its bits; `before` is that of what comes before `bytes`. */
export function plainCrc32(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}

/** CRC-32 of `memory[start, end)` with all its bits, signed; `before` is that of what comes before. */
export function rangeCrc32(memory: DataView, start: number, end: number, before: number): number {
  if (end - start > LOOP_BYTES_MAX) {
    return crc32(new Uint8Array(memory.buffer, memory.byteOffset + start, end - start), before >>> 0) | 0;
  }
  const tables = TABLES;
  const stepsEnd = end - 15;
  const wordsEnd = end - 7;
  let sum = ~before;
  let at = start;
  for (; at < stepsEnd; at += 16) {
    const first = sum ^ memory.getInt32(at, true);
    const second = memory.getInt32(at + 4, true);
    const third = memory.getInt32(at + 8, true);
    const fourth = memory.getInt32(at + 12, true);
    sum =
      tables[3840 + (first & 255)]! ^
      tables[3584 + ((first >>> 8) & 255)]! ^
      tables[3328 + ((first >>> 16) & 255)]! ^
      tables[3072 + (first >>> 24)]! ^
      tables[2816 + (second & 255)]! ^
      tables[2560 + ((second >>> 8) & 255)]! ^
      tables[2304 + ((second >>> 16) & 255)]! ^
      tables[2048 + (second >>> 24)]! ^
      tables[1792 + (third & 255)]! ^
      tables[1536 + ((third >>> 8) & 255)]! ^
      tables[1280 + ((third >>> 16) & 255)]! ^
      tables[1024 + (third >>> 24)]! ^
      tables[768 + (fourth & 255)]! ^
      tables[512 + ((fourth >>> 8) & 255)]! ^
      tables[256 + ((fourth >>> 16) & 255)]! ^
      tables[fourth >>> 24]!;
  }
  for (; at < wordsEnd; at += 8) {
    const first = sum ^ memory.getInt32(at, true);
    const second = memory.getInt32(at + 4, true);
    sum =
      tables[1792 + (first & 255)]! ^
      tables[1536 + ((first >>> 8) & 255)]! ^
      tables[1280 + ((first >>> 16) & 255)]! ^
      tables[1024 + (first >>> 24)]! ^
      tables[768 + (second & 255)]! ^
      tables[512 + ((second >>> 8) & 255)]! ^
      tables[256 + ((second >>> 16) & 255)]! ^
      tables[second >>> 24]!;
  }
  for (; at < end; at++) sum = (sum >>> 8) ^ tables[(sum ^ memory.getUint8(at)) & 255]!;
  return ~sum;
}

/** The buffer whose checksums were asked for last, and a view of it: many ranges of one follow each other. */
let viewed: Uint8Array = new Uint8Array(0);
let view = new DataView(viewed.buffer);

/** As `bodyCrc`, over `bytes[start, end)`, which must lie within. */
export function bodyCrcBetween(bytes: Uint8Array, start: number, end: number): number {
  if (bytes !== viewed) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    viewed = bytes;
  }
  return rangeCrc32(view, start, end, 0) & 0x7fffffff;
}

/** The CRC-32 of two ranges, one behind the other, from that of each; the second has `secondBytes`, below 2^24. */
export function joinedCrc32(first: number, second: number, secondBytes: number): number {
  if (powers === undefined || highPowers === undefined) {
    powers = powersOf(BYTE);
    highPowers = powersOf(times(powers[POWERS - 1]!, BYTE));
  }
  let shifted = times(first, powers[secondBytes & (POWERS - 1)]!);
  if (secondBytes >= POWERS) shifted = times(shifted, highPowers[Math.floor(secondBytes / POWERS)]!);
  return shifted ^ second;
}

function powersOf(base: number): Int32Array {
  const found = new Int32Array(POWERS);
  found[0] = ONE;
  for (let n = 1; n < POWERS; n++) found[n] = times(found[n - 1]!, base);
  return found;
}

/** The product of two polynomials, modulo ours. */
function times(a: number, b: number): number {
  let product = 0;
  let left = a;
  let right = b;
  for (let bit = 0; bit < 32; bit++) {
    product ^= right & (left >> 31);
    left <<= 1;
    right = (right >>> 1) ^ (POLYNOMIAL & -(right & 1));
  }
  return product;
}
