/**
 * The bits a group's filter has in RocketMQ's bit maps (RocketMQ: BloomFilter, with its defaults of 20 % errors and
 * 32 groups). No bit maps are written or read here; a Java broker that takes over the store believes
 * consumerFilter.json only when it finds them there.
 */
const BITS = 112;
const HASHES = 3;
const MASK = (1n << 64n) - 1n;
const C1 = 0x87c37b91114253d5n;
const C2 = 0x4cf5ad432745937fn;

export interface BloomFilterData {
  readonly bitNum: number;
  readonly bitPos: readonly number[];
}

export function bloomFilterData(group: string, topic: string): BloomFilterData {
  const hash = murmur3First64(Buffer.from(`${group}#${topic}`));
  const low = Number(BigInt.asIntN(32, hash));
  const high = Number(BigInt.asIntN(32, hash >> 32n));
  const bitPos: number[] = [];
  for (let i = 1; i <= HASHES; i++) {
    const combined = (low + Math.imul(i, high)) | 0;
    bitPos.push((combined < 0 ? ~combined : combined) % BITS);
  }
  return { bitNum: BITS, bitPos };
}

/** The first half of MurmurHash3 x64 128 with seed 0. */
function murmur3First64(bytes: Buffer): bigint {
  let h1 = 0n;
  let h2 = 0n;
  const whole = bytes.length - (bytes.length % 16);
  for (let at = 0; at < whole; at += 16) {
    h1 ^= mixed(bytes.readBigUInt64LE(at), C1, 31n, C2);
    h1 = (rotated(h1, 27n) + h2) & MASK;
    h1 = (h1 * 5n + 0x52dce729n) & MASK;
    h2 ^= mixed(bytes.readBigUInt64LE(at + 8), C2, 33n, C1);
    h2 = (rotated(h2, 31n) + h1) & MASK;
    h2 = (h2 * 5n + 0x38495ab5n) & MASK;
  }
  const tail = Buffer.alloc(16);
  bytes.copy(tail, 0, whole);
  h2 ^= mixed(tail.readBigUInt64LE(8), C2, 33n, C1);
  h1 ^= mixed(tail.readBigUInt64LE(0), C1, 31n, C2);
  h1 ^= BigInt(bytes.length);
  h2 ^= BigInt(bytes.length);
  h1 = (h1 + h2) & MASK;
  h2 = (h2 + h1) & MASK;
  return (finished(h1) + finished(h2)) & MASK;
}

function mixed(k: bigint, first: bigint, by: bigint, second: bigint): bigint {
  return (rotated((k * first) & MASK, by) * second) & MASK;
}

function rotated(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & MASK;
}

function finished(value: bigint): bigint {
  let k = value;
  k = ((k ^ (k >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  k = ((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return k ^ (k >> 33n);
}
