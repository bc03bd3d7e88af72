/** Seeded randomness for fuzz tests: the same seed gives the same inputs on every machine. */
import type { Random } from "@orbitmq/host";

/** How many inputs a fuzz test makes: `defaultRuns`, or ORBITMQ_FUZZ_RUNS when that is set. */
export function fuzzRuns(defaultRuns: number): number {
  const asked = Number(process.env["ORBITMQ_FUZZ_RUNS"]);
  return Number.isInteger(asked) && asked > 0 ? asked : defaultRuns;
}

/** Mulberry32. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  float(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  int(boundExclusive: number): number {
    return Math.floor(this.float() * boundExclusive);
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let i = 0; i < length; i++) bytes[i] = this.int(256);
    return bytes;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)]!;
  }

  /** `source` with a few bytes changed, cut out, repeated or set to extremes. */
  mutated(source: Uint8Array): Buffer {
    let bytes = Buffer.from(source);
    for (let changes = 1 + this.int(4); changes > 0 && bytes.length > 0; changes--) {
      const at = this.int(bytes.length);
      switch (this.int(5)) {
        case 0:
          bytes[at] = this.int(256);
          break;
        case 1:
          bytes[at] = this.pick([0, 1, 0x7f, 0x80, 0xff, 0x22, 0x5c, 0x7b, 0x7d]);
          break;
        case 2:
          bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + this.int(16))]);
          break;
        case 3:
          bytes = Buffer.concat([bytes.subarray(0, at), this.bytes(1 + this.int(8)), bytes.subarray(at)]);
          break;
        default:
          if (bytes.length - at >= 4) {
            bytes.writeInt32BE(this.pick([0, -1, 0x7fffffff, -0x80000000, 16777216, at, 65536]), at);
          }
      }
    }
    return bytes;
  }
}
