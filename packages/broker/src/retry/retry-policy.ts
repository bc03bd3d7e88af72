/**
 * How long a group waits before a message is consumed again (RocketMQ: GroupRetryPolicy, CustomizedRetryPolicy,
 * ExponentialRetryPolicy). A group without a policy of its own goes up the delay levels from the third on. One
 * with a policy takes the first level that is long enough, or the last.
 *
 *   {"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[ms, …]}}       the n-th retry waits next[n + 2]
 *   {"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":ms,"max":ms,"multiplier":2}}
 */
export type RetryPolicy =
  | { readonly kind: "levels" }
  | { readonly kind: "customized"; readonly nextMs: readonly number[] }
  | {
      readonly kind: "exponential";
      readonly initialMs: number;
      readonly maxMs: number;
      readonly multiplier: number;
    };

/** The first retry's level, and what a customized policy's list begins with unused. */
const FIRST_LEVEL = 3;
const EXPONENT_MAX = 32;
const LEVELS: RetryPolicy = { kind: "levels" };

/** The policy of a group's configuration as it came; what is no policy counts as none. */
export function retryPolicyOf(config: unknown): RetryPolicy {
  const { type, customizedRetryPolicy, exponentialRetryPolicy } = members(config);
  if (type === "EXPONENTIAL" && exponentialRetryPolicy !== undefined) {
    const { initial, max, multiplier } = members(exponentialRetryPolicy);
    return {
      kind: "exponential",
      initialMs: duration(initial, 5_000),
      maxMs: duration(max, 7_200_000),
      multiplier: Math.max(1, duration(multiplier, 2)),
    };
  }
  if (type !== "EXPONENTIAL" && customizedRetryPolicy !== undefined) {
    const { next } = members(customizedRetryPolicy);
    const nextMs = Array.isArray(next) ? next.map((ms) => duration(ms, 0)) : [];
    if (nextMs.length > 0) return { kind: "customized", nextMs };
  }
  return LEVELS;
}

/** The delay level of the retry after `reconsumeTimes` earlier ones (any number: clients set it); it may lie beyond the last level. */
export function retryLevel(policy: RetryPolicy, reconsumeTimes: number, delaysMs: readonly number[]): number {
  const times = Math.max(0, reconsumeTimes);
  const delayMs = retryDelayMs(policy, times);
  if (delayMs === undefined) return FIRST_LEVEL + times;
  const index = delaysMs.findIndex((levelMs) => levelMs >= delayMs);
  return index < 0 ? delaysMs.length : index + 1;
}

function retryDelayMs(policy: RetryPolicy, reconsumeTimes: number): number | undefined {
  switch (policy.kind) {
    case "levels":
      return undefined;
    case "customized": {
      const { nextMs } = policy;
      return nextMs[Math.min(reconsumeTimes + FIRST_LEVEL - 1, nextMs.length - 1)];
    }
    case "exponential": {
      const { initialMs, maxMs, multiplier } = policy;
      return Math.min(maxMs, initialMs * multiplier ** Math.min(reconsumeTimes, EXPONENT_MAX));
    }
  }
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function duration(value: unknown, fallback: number): number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : fallback;
}
