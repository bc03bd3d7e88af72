/**
 * 64-bit integers as two 32-bit halves: fast, and exact for every safe integer. Beyond those, reading rounds as
 * a double does; who depends on exactness checks `Number.isSafeInteger`.
 */
const HIGH_UNIT = 2 ** 32;

export function writeInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeInt32BE(Math.floor(value / HIGH_UNIT), at);
  buffer.writeInt32BE(value | 0, at + 4);
}

export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * HIGH_UNIT + buffer.readUInt32BE(at + 4);
}
