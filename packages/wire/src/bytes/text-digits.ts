/** Digits of numbers as text, two at a time. */

const HEX_DIGITS = "0123456789ABCDEF";
/** Each byte as two digits. */
const HEX_PAIRS = new Uint16Array(256);
for (let byte = 0; byte < 256; byte++) {
  HEX_PAIRS[byte] = (HEX_DIGITS.charCodeAt(byte >> 4) << 8) | HEX_DIGITS.charCodeAt(byte & 15);
}
const ZERO = 0x30;
const DECIMAL_PAIRS = new Uint16Array(100);
for (let pair = 0; pair < 100; pair++) {
  DECIMAL_PAIRS[pair] = ((ZERO + ((pair / 10) | 0)) << 8) | (ZERO + (pair % 10));
}
const HIGH_UNIT = 2 ** 32;
const SMALL_MAX = 0x7fffffff;

/** Writes a safe integer that is not negative as sixteen hexadecimal digits; returns where they end. */
export function writeHexDigits(into: DataView, at: number, value: number): number {
  writeHex32(into, at, (value / HIGH_UNIT) | 0);
  writeHex32(into, at + 8, value | 0);
  return at + 16;
}

function writeHex32(into: DataView, at: number, value: number): void {
  into.setInt32(at, (HEX_PAIRS[value >>> 24]! << 16) | HEX_PAIRS[(value >>> 16) & 255]!);
  into.setInt32(at + 4, (HEX_PAIRS[(value >>> 8) & 255]! << 16) | HEX_PAIRS[value & 255]!);
}

/** Writes a safe integer that is not negative in decimal; returns where its digits end. */
export function writeDecimalDigits(into: DataView, at: number, value: number): number {
  if (value < 10) {
    into.setUint8(at, ZERO + value);
    return at + 1;
  }
  let digits = 2;
  for (let bound = 100; value >= bound; bound *= 10) digits++;
  const end = at + digits;
  let to = end;
  let rest = value;
  while (rest > SMALL_MAX) {
    const quotient = Math.floor(rest / 100);
    to -= 2;
    into.setUint16(to, DECIMAL_PAIRS[rest - quotient * 100]!);
    rest = quotient;
  }
  let small = rest | 0;
  while (to - at >= 2) {
    const quotient = (small / 100) | 0;
    to -= 2;
    into.setUint16(to, DECIMAL_PAIRS[small - quotient * 100]!);
    small = quotient;
  }
  if (to > at) into.setUint8(at, ZERO + small);
  return end;
}
