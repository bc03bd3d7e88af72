/**
 * Big-endian integers in and out of buffers. Written out byte by byte these are five times as fast as Buffer's
 * own methods, which check what they are given; here the caller answers for the bounds: reading beyond the end
 * yields zeros, writing beyond it is lost.
 *
 * 64-bit integers are two 32-bit halves: exact for every safe integer. Beyond those, reading rounds as a double
 * does; who depends on exactness checks `Number.isSafeInteger`.
 */
const HIGH_UNIT = 2 ** 32;

export function readInt16(buffer: Uint8Array, at: number): number {
  return ((buffer[at]! << 24) >> 16) | buffer[at + 1]!;
}

export function writeInt16(buffer: Uint8Array, value: number, at: number): void {
  buffer[at] = value >>> 8;
  buffer[at + 1] = value;
}

export function readInt32(buffer: Uint8Array, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
}

export function writeInt32(buffer: Uint8Array, value: number, at: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

export function readInt64(buffer: Uint8Array, at: number): number {
  return readInt32(buffer, at) * HIGH_UNIT + (readInt32(buffer, at + 4) >>> 0);
}

export function writeInt64(buffer: Uint8Array, value: number, at: number): void {
  writeInt32(buffer, Math.floor(value / HIGH_UNIT), at);
  writeInt32(buffer, value | 0, at + 4);
}
