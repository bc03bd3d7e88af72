/**
 * One LZ4 block: sequences of literals and back references, to the end of the block. Grammar, little-endian:
 *
 *   sequence = token:u8 { more:u8=255 } literals offset:u16 { more:u8=255 }
 *              token's high half is the literal count, its low half the match length - 4; 15 is continued
 *   the last sequence ends after its literals
 */

const MATCH_MIN = 4;
const OFFSET_MAX = 0xffff;
/** The format's own rules: the last 5 bytes are literals, the last match starts 12 bytes before the end. */
const LAST_LITERALS = 5;
const MATCH_LIMIT = 12;
const HASH_BITS = 14;

/**
 * Decodes `source[at, end)` to `target[targetAt, …)` and returns where it ends there; -1 when the block is
 * damaged, -2 when `target` is too small. Back references may reach to the start of `target`.
 */
export function decodeLz4Block(
  source: Buffer,
  at: number,
  end: number,
  target: Buffer,
  targetAt: number,
): number {
  let from = at;
  let to = targetAt;
  while (from < end) {
    const token = source[from++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more: number;
      do {
        if (from >= end) return -1;
        more = source[from++]!;
        literals += more;
      } while (more === 255);
    }
    if (literals > end - from) return -1;
    if (literals > target.length - to) return -2;
    source.copy(target, to, from, from + literals);
    from += literals;
    to += literals;
    if (from === end) return to;
    if (end - from < 2) return -1;
    const offset = source[from]! | (source[from + 1]! << 8);
    from += 2;
    if (offset === 0 || offset > to) return -1;
    let length = (token & 15) + MATCH_MIN;
    if (length === 15 + MATCH_MIN) {
      let more: number;
      do {
        if (from >= end) return -1;
        more = source[from++]!;
        length += more;
      } while (more === 255);
    }
    if (length > target.length - to) return -2;
    copyMatch(target, to, offset, length);
    to += length;
  }
  return -1;
}

/** A match may overlap what it writes: then it repeats its last `offset` bytes. */
function copyMatch(target: Buffer, to: number, offset: number, length: number): void {
  if (offset >= length) target.copyWithin(to, to - offset, to - offset + length);
  else for (let i = 0; i < length; i++) target[to + i] = target[to - offset + i]!;
}

/** The most a block of `bytes` can grow to. */
export function lz4BlockBytesMax(bytes: number): number {
  return bytes + Math.floor(bytes / 255) + 16;
}

/** Encodes `source[start, end)` greedily to `target[at, …)`, which has room, and returns where it ends there. */
export function encodeLz4Block(
  source: Buffer,
  start: number,
  end: number,
  target: Buffer,
  at: number,
): number {
  const seen = new Int32Array(1 << HASH_BITS).fill(-1);
  let to = at;
  let literalsAt = start;
  for (let i = start; i <= end - MATCH_LIMIT; ) {
    const word = source.readInt32LE(i);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const candidate = seen[slot]!;
    seen[slot] = i;
    if (candidate < 0 || i - candidate > OFFSET_MAX || source.readInt32LE(candidate) !== word) {
      i++;
      continue;
    }
    let length = MATCH_MIN;
    while (i + length < end - LAST_LITERALS && source[candidate + length] === source[i + length]) length++;
    to = writeSequence(source, literalsAt, i, target, to, length);
    target[to++] = (i - candidate) & 0xff;
    target[to++] = (i - candidate) >> 8;
    to = writeMore(target, to, length - MATCH_MIN);
    i += length;
    literalsAt = i;
  }
  return writeSequence(source, literalsAt, end, target, to, MATCH_MIN);
}

/** Token and literals; `matchLength` fills the token's low half. */
function writeSequence(
  source: Buffer,
  literalsAt: number,
  literalsEnd: number,
  target: Buffer,
  at: number,
  matchLength: number,
): number {
  const literals = literalsEnd - literalsAt;
  target[at] = (Math.min(literals, 15) << 4) | Math.min(matchLength - MATCH_MIN, 15);
  const to = writeMore(target, at + 1, literals);
  source.copy(target, to, literalsAt, literalsEnd);
  return to + literals;
}

/** The continuation of a count that does not fit 4 bits. */
function writeMore(target: Buffer, at: number, count: number): number {
  if (count < 15) return at;
  let to = at;
  let rest = count - 15;
  for (; rest >= 255; rest -= 255) target[to++] = 255;
  target[to++] = rest;
  return to;
}
