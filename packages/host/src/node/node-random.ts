/** Randomness good enough for ids, jitter and choices; seeded by the machine, not for secrets. */
import { randomBytes } from "node:crypto";
import { assert } from "../assert.ts";
import type { Random } from "../random.ts";

export const nodeRandom: Random = {
  int(boundExclusive) {
    assert(boundExclusive >= 1 && boundExclusive <= 2 ** 32, "Random.int: bound lies in [1, 2^32]");
    return Math.floor(Math.random() * boundExclusive);
  },
  float: () => Math.random(),
  bytes: (length) => new Uint8Array(randomBytes(length)),
};
