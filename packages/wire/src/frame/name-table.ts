/**
 * Strings that recur from frame to frame (topics, groups) are decoded once and shared: no allocation, and a Map
 * finds a string it has hashed before much faster. A direct-mapped table: bounded, and a collision costs one
 * decoding. Only short ASCII strings are kept.
 */
const SLOTS = 2048;
const LENGTH_MAX = 256;

const slots = new Array<string>(SLOTS).fill("");

/** The string whose UTF-8 bytes are `buffer[start, end)`. */
export function decodeName(buffer: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 0) return "";
  if (length > LENGTH_MAX) return buffer.toString("utf8", start, end);
  let hash = length;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + buffer[i]!) | 0;
  const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
  const known = slots[slot]!;
  if (known.length === length && sameBytes(known, buffer, start)) return known;
  const text = buffer.toString("utf8", start, end);
  // Equal lengths mean ASCII: only then does comparing units with bytes prove anything.
  if (text.length === length) slots[slot] = text;
  return text;
}

function sameBytes(text: string, buffer: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) !== buffer[start + i]) return false;
  }
  return true;
}
