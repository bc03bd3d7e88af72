import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { retryLevel, retryPolicyOf } from "./retry-policy.ts";

const s = 1_000;
const m = 60 * s;
const h = 60 * m;
/** 1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h */
const LEVELS = [s, 5 * s, 10 * s, 30 * s, m, 2 * m, 3 * m, 4 * m, 5 * m, 6 * m, 7 * m, 8 * m, 9 * m];
LEVELS.push(10 * m, 20 * m, 30 * m, h, 2 * h);

function levels(policy: unknown, count: number): number[] {
  return Array.from({ length: count }, (_, times) => retryLevel(retryPolicyOf(policy), times, LEVELS));
}

describe("a group's retry policy", () => {
  it("goes up the delay levels from the third on when there is none", () => {
    for (const none of [undefined, {}, { type: "CUSTOMIZED" }, { type: "EXPONENTIAL" }, "x", { type: 7 }]) {
      assert.deepEqual(levels(none, 4), [3, 4, 5, 6]);
    }
  });

  it("does not trust the count, which any client can set", () => {
    assert.equal(retryLevel(retryPolicyOf(undefined), -2_147_483_648, LEVELS), 3);
    assert.equal(
      retryLevel(retryPolicyOf({ type: "EXPONENTIAL", exponentialRetryPolicy: {} }), -5, LEVELS),
      2,
    );
  });

  it("customized: takes the levels that are long enough for its list, from the third entry on", () => {
    const next = [0, 0, 7 * s, 30 * s, 31 * s, 5 * h];
    const policy = { type: "CUSTOMIZED", customizedRetryPolicy: { next } };
    assert.deepEqual(levels(policy, 6), [3, 4, 5, 18, 18, 18]);
    const short = { type: "CUSTOMIZED", customizedRetryPolicy: { next: [4 * s] } };
    assert.deepEqual(levels(short, 3), [2, 2, 2]);
  });

  it("exponential: grows by its factor up to its limit", () => {
    const exponentialRetryPolicy = { initial: 5 * s, max: 10 * m, multiplier: 2 };
    const policy = { type: "EXPONENTIAL", exponentialRetryPolicy };
    // 5s 10s 20s 40s 80s 160s 320s 600s 600s
    assert.deepEqual(levels(policy, 9), [2, 3, 4, 5, 6, 7, 10, 14, 14]);
    assert.equal(retryLevel(retryPolicyOf(policy), 1_000, LEVELS), 14);
  });

  it("takes defaults for what is no duration", () => {
    const odd = { type: "EXPONENTIAL", exponentialRetryPolicy: { initial: "x", max: -1, multiplier: null } };
    assert.deepEqual(levels(odd, 2), [2, 3]);
    const empty = { type: "CUSTOMIZED", customizedRetryPolicy: { next: [] } };
    assert.deepEqual(levels(empty, 2), [3, 4]);
  });
});
