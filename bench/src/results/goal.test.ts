import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Metrics } from "../measure/metrics.ts";
import { type Goal, judge, medianOf, ORIGINAL, OURS } from "./goal.ts";
import type { Turn } from "./result.ts";

const turn = (round: number, who: string, metrics: Metrics): Turn => ({
  round,
  server: who,
  who,
  rawSyncPerSecond: 1,
  metrics,
});
const turns = [
  turn(1, OURS, { perSecond: 390, p99Ms: 1 }),
  turn(2, OURS, { perSecond: 400, p99Ms: 2 }),
  turn(3, OURS, { perSecond: 900, p99Ms: 9 }),
  turn(1, ORIGINAL, { perSecond: 90, p99Ms: 8 }),
  turn(2, ORIGINAL, { perSecond: 100, p99Ms: 8 }),
  turn(3, ORIGINAL, { perSecond: 110, p99Ms: 8 }),
];
const verdict = (goal: Goal) =>
  judge({ name: "n", title: "t", flush: "SYNC_FLUSH", goals: [goal], turns })[0]!;

describe("judge", () => {
  it("holds the ratio of the medians against a goal, its very edge included", () => {
    const passing = verdict({ metric: "perSecond", beside: ORIGINAL, atLeast: 4 });
    assert.equal(passing.reached, 4);
    assert.equal(passing.passed, true);
    assert.deepEqual(passing.figures, [400, 100]);
    assert.equal(passing.goal, "messages/s ≥ 4× RocketMQ 5.5.0");
    assert.equal(verdict({ metric: "perSecond", beside: ORIGINAL, atLeast: 4.01 }).passed, false);
    assert.equal(verdict({ metric: "p99Ms", beside: ORIGINAL, atMost: 0.25 }).passed, true);
    assert.equal(verdict({ metric: "p99Ms", beside: ORIGINAL, atMost: 0.24 }).passed, false);
  });

  it("holds a figure itself against a bound where nothing stands beside it", () => {
    const { reached, passed, isRatio, goal } = verdict({ metric: "p99Ms", atMost: 1.5 });
    assert.deepEqual(
      { reached, passed, isRatio, goal },
      { reached: 2, passed: false, isRatio: false, goal: "p99 ms ≤ 1.5" },
    );
  });

  it("passes nothing that was not measured", () => {
    for (const goal of [
      { metric: "perSecond", beside: "null broker", atLeast: 0.1 },
      { metric: "stallP999Ms", atMost: 5 },
      { metric: "perSecond", of: "ali-ons", atLeast: 0 },
    ] as const) {
      assert.equal(verdict(goal).passed, undefined);
      assert.equal(verdict(goal).reached, undefined);
    }
  });

  it("does not divide by nothing", () => {
    const empty = [...turns, turn(1, "idle", { perSecond: 0 })];
    const goal: Goal = { metric: "perSecond", beside: "idle", atLeast: 1 };
    const [found] = judge({ name: "n", title: "t", flush: "SYNC_FLUSH", goals: [goal], turns: empty });
    assert.equal(found!.passed, undefined);
  });
});

it("a median is of one who's rounds alone", () => {
  assert.equal(medianOf(turns, OURS, "perSecond"), 400);
  assert.equal(medianOf(turns, "nobody", "perSecond"), undefined);
  assert.equal(medianOf(turns, OURS, "flatness"), undefined);
});
