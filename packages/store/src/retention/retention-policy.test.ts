import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreError } from "../store-error.ts";
import { resolveStoreOptions, type StoreOptions } from "../store-options.ts";
import { ClockWatch } from "./clock-watch.ts";
import {
  ageOf,
  judgeSpace,
  planRemoval,
  type RemovalInput,
  retentionRules,
  type SegmentTimes,
} from "./retention-policy.ts";

const HOUR = 3_600_000;
const NOW = 1_700_000_000_000;

const rules = (more: Partial<StoreOptions> = {}) =>
  retentionRules(resolveStoreOptions({ home: "/data", ...more }));

const space = (used: number, wasFull = false, more: Partial<StoreOptions> = {}) =>
  judgeSpace(rules(more), [{ folder: "/log", usedRatio: used }], { folder: "/data", usedRatio: 0 }, wasFull);

/** Segments of these ages in hours, oldest first. */
const aged = (...hours: number[]): SegmentTimes[] =>
  hours.map((age) => ({ newestMs: NOW - age * HOUR, modifiedMs: NOW - age * HOUR }));

const plan = (
  segments: Iterable<SegmentTimes>,
  input: Partial<RemovalInput>,
  more: Partial<StoreOptions> = {},
) =>
  planRemoval(rules(more), {
    nowMs: NOW,
    hour: 12,
    isClockSteady: true,
    isAsked: false,
    space: space(0),
    segments,
    ...input,
  });

describe("the age of a segment", () => {
  it("is that of its younger witness", () => {
    assert.equal(ageOf({ newestMs: NOW - 5, modifiedMs: NOW - 9 }, NOW), 5);
    assert.equal(ageOf({ newestMs: NOW - 9, modifiedMs: NOW - 5 }, NOW), 5);
    assert.equal(ageOf({ newestMs: undefined, modifiedMs: NOW - 7 }, NOW), 7);
    assert.equal(ageOf({ newestMs: NOW - 7, modifiedMs: 0 }, NOW), 7, "a copy that lost its time");
  });

  it("is not told by a witness from the future, and not known when both are", () => {
    assert.equal(ageOf({ newestMs: NOW + 1, modifiedMs: NOW - 9 }, NOW), 9);
    assert.equal(ageOf({ newestMs: NOW - 3, modifiedMs: NOW + 1 }, NOW), 3);
    assert.equal(ageOf({ newestMs: NOW + 1, modifiedMs: NOW + 1 }, NOW), undefined);
  });
});

describe("removal", () => {
  it("happens in the hours of deleteWhen, above diskMaxUsedSpaceRatio, or when asked for", () => {
    const segments = aged(100, 80, 60);
    assert.equal(plan(segments, {}).count, 0);
    assert.equal(plan(segments, { hour: 4 }).count, 2);
    assert.equal(plan(segments, { hour: 13 }, { deleteWhen: "04;13" }).count, 2);
    assert.equal(plan(segments, { isAsked: true }).count, 2);
    assert.equal(plan(segments, { space: space(0.75) }).count, 0);
    assert.equal(plan(segments, { space: space(0.76) }).count, 2);
  });

  it("takes the oldest first and never one behind a segment that stays", () => {
    assert.equal(plan(aged(100, 10, 100), { hour: 4 }).count, 1);
    assert.equal(plan(aged(72), { hour: 4 }).count, 1);
    assert.equal(plan(aged(71.99), { hour: 4 }).count, 0);
    assert.equal(plan(aged(100, 99, 98), { hour: 4 }, { deleteFileBatchMax: 2 }).count, 2);
  });

  it("looks at no more segments than it must", () => {
    let looked = 0;
    function* watched() {
      for (const segment of aged(100, 10, 10, 10)) {
        looked += 1;
        yield segment;
      }
    }
    plan(watched(), {});
    assert.equal(looked, 0);
    plan(watched(), { hour: 4 });
    assert.equal(looked, 2);
  });

  it("spares what is not expired whatever the disk holds, unless cleaning by force is switched on", () => {
    const full = { space: space(0.99) };
    assert.deepEqual(plan(aged(1, 1), full), { count: 0, reason: "expired", heldBack: undefined });
    assert.deepEqual(plan(aged(1, 1), full, { cleanFileForciblyEnable: true }), {
      count: 2,
      reason: "forced",
      heldBack: undefined,
    });
    const below = { space: space(0.85) };
    assert.equal(plan(aged(1, 1), below, { cleanFileForciblyEnable: true }).count, 0);
    assert.equal(plan(aged(99), full, { cleanFileForciblyEnable: true }).reason, "expired");
  });

  it("waits while the clock is in doubt, and says so only when something would have gone", () => {
    const doubtful = { hour: 4, isClockSteady: false };
    assert.deepEqual(plan(aged(100), doubtful), { count: 0, reason: "expired", heldBack: "clock" });
    assert.deepEqual(plan(aged(10), doubtful), { count: 0, reason: "expired", heldBack: undefined });
    const undated = [{ newestMs: NOW + 1, modifiedMs: NOW + 1 }];
    assert.equal(plan(undated, { hour: 4 }).heldBack, "undated");
  });

  it("refuses hours that are none", () => {
    for (const deleteWhen of ["24", "x", "", "4;", "-1", "4,5"]) {
      assert.throws(
        () => rules({ deleteWhen }),
        (error) => error instanceof StoreError && error.code === "ILLEGAL_OPTION",
        deleteWhen,
      );
    }
    assert.deepEqual(rules({ deleteWhen: "4; 05;23" }).deleteWhen, [4, 5, 23]);
  });
});

describe("a disk's use", () => {
  it("makes it full above the warning level until it is below the level of cleaning by force", () => {
    assert.equal(space(0.9).full, undefined);
    assert.deepEqual(space(0.91).full, { folder: "/log", usedRatio: 0.91 });
    assert.ok(space(0.86, true).full !== undefined);
    assert.equal(space(0.85, true).full, undefined);
  });

  it("counts the freest folder of the log, and the disk of queues by itself", () => {
    const two = (first: number, second: number, home: number) =>
      judgeSpace(
        rules(),
        [
          { folder: "/a", usedRatio: first },
          { folder: "/b", usedRatio: second },
        ],
        { folder: "/data", usedRatio: home },
        false,
      );
    assert.deepEqual(two(0.99, 0.2, 0.2), {
      full: undefined,
      isAboveMax: false,
      isAboveForcibly: false,
      fullFolders: ["/a"],
    });
    assert.equal(two(0.99, 0.95, 0.2).full?.folder, "/b");
    assert.equal(two(0.1, 0.1, 0.95).full?.folder, "/data");
  });

  it("has its ratios clamped as RocketMQ clamps them", () => {
    const { maxUsedRatio, cleanForciblyRatio, warningLevelRatio } = rules({
      diskMaxUsedSpaceRatio: 100,
      diskSpaceCleanForciblyRatio: 100,
      diskSpaceWarningLevelRatio: 100,
    });
    assert.deepEqual([maxUsedRatio, cleanForciblyRatio, warningLevelRatio], [0.95, 0.85, 0.9]);
    assert.equal(rules({ diskMaxUsedSpaceRatio: 1 }).maxUsedRatio, 0.1);
  });
});

describe("the watch on the clock", () => {
  const clocks = () => {
    const now = { wall: NOW, monotonic: 500 };
    const watch = new ClockWatch({ wallMs: () => now.wall, monotonicMs: () => now.monotonic });
    const pass = (ms: number) => {
      now.wall += ms;
      now.monotonic += ms;
    };
    return { now, watch, pass };
  };

  it("doubts a clock that leapt forward, for an hour or until it is set back", () => {
    const { now, watch, pass } = clocks();
    assert.equal(watch.look(), 0);
    now.wall += 48 * HOUR;
    assert.equal(watch.look(), 48 * HOUR);
    pass(HOUR - 1);
    assert.ok(watch.look() > 0);
    pass(1);
    assert.equal(watch.look(), 0);
    now.wall += HOUR;
    assert.ok(watch.look() > 0);
    now.wall -= HOUR;
    assert.equal(watch.look(), 0);
  });

  it("follows a clock that drifts, and one that is set back", () => {
    const { now, watch, pass } = clocks();
    for (let look = 0; look < 1000; look += 1) {
      pass(10_000);
      now.wall += 5;
      assert.equal(watch.look(), 0);
    }
    now.wall -= 5 * HOUR;
    assert.equal(watch.look(), 0);
    now.wall += 5 * HOUR;
    assert.ok(watch.look() > 0);
  });
});
