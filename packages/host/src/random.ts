/** Randomness: real in `host/node`, a seeded sequence in `host/sim`. Not for secrets. */
export interface Random {
  /** A uniform integer in [0, boundExclusive). `boundExclusive` ≥ 1 and ≤ 2^32. */
  int(boundExclusive: number): number;
  /** A uniform float in [0, 1). */
  float(): number;
  /** `length` random bytes. */
  bytes(length: number): Uint8Array;
}
