/** Decimal integers as header fields carry them, from text or straight from the bytes of a header. */

const DECIMAL = /^-?\d{1,19}$/;
const INT64_LIMIT = 2 ** 63;
/** Up to so many digits are a safe integer whatever they are. */
const SAFE_DIGITS = 15;

/** `undefined` for what is no 32-bit integer. */
export function parseInt32(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  return value === (value | 0) ? value | 0 : undefined;
}

/** `undefined` for what is no 64-bit integer; the nearest safe integer for what is beyond those. */
export function parseInt64(text: string): number | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text);
  if (value > INT64_LIMIT || value < -INT64_LIMIT) return undefined;
  return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER) + 0;
}

/** {@link parseInt64} of the text `buffer[start, end)`. */
export function parseInt64Bytes(buffer: Buffer, start: number, end: number): number | undefined {
  const isNegative = buffer[start] === 0x2d;
  const first = isNegative ? start + 1 : start;
  if (end - first < 1 || end - first > SAFE_DIGITS) return parseInt64(buffer.toString("latin1", start, end));
  let value = 0;
  for (let i = first; i < end; i++) {
    const digit = buffer[i]! - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return isNegative && value !== 0 ? -value : value;
}

/** {@link parseInt32} of the text `buffer[start, end)`. */
export function parseInt32Bytes(buffer: Buffer, start: number, end: number): number | undefined {
  const value = parseInt64Bytes(buffer, start, end);
  return value !== undefined && (value | 0) === value ? value : undefined;
}
