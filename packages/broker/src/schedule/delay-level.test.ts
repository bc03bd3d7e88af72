import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DelayLevel, type Delivery } from "./delay-level.ts";
import type { Moment } from "./due-times.ts";

const WALL = 1_700_000_000_000;
const DELAY = 1_000;
const NONE = { kind: "none" };
const READ = { kind: "read" };

function at(monotonicMs: number): Moment {
  return { monotonicMs, wallMs: WALL + monotonicMs };
}

function level(options: { next?: number; end?: number; settledIsSafe?: boolean } = {}): DelayLevel {
  const { next = 0, end = 0, settledIsSafe = true } = options;
  return new DelayLevel({ level: 1, delayMs: DELAY, next, end, unsettledMax: 2, settledIsSafe }, at(0));
}

/** A message stored at `ms` is delivered one delay later. */
const deliver = (ms: number): number => WALL + ms + DELAY;

function delivery(next: number, position = next * 100): Delivery {
  return { next, position, settled: false };
}

const looked = (next: number, of?: Delivery) => ({ next, delivery: of, pauseMs: undefined });

describe("DelayLevel", () => {
  it("rests while its queue is empty, and waits for what arrives", () => {
    const core = level();
    assert.deepEqual(core.start(at(0)), NONE);
    assert.deepEqual(core.arrived(1, deliver(50), at(50)), { kind: "wait", untilMs: 1_050 });
    assert.deepEqual(core.arrived(2, deliver(60), at(60)), NONE, "the first wakes it");
    assert.deepEqual(core.woken(at(1_050)), READ);
  });

  it("looks at once at what was left when the broker stopped", () => {
    const core = level({ next: 3, end: 5 });
    assert.deepEqual(core.start(at(0)), READ);
    assert.equal(core.isDue(3, WALL - 5, at(0)), true);
    assert.equal(core.isDue(4, WALL + 500, at(0)), false);
    assert.deepEqual(core.looked(looked(4, delivery(4)), at(0)), { kind: "wait", untilMs: 500 });
  });

  it("waits again when it was woken too early", () => {
    const core = level();
    core.arrived(1, deliver(0), at(0));
    assert.deepEqual(core.woken(at(400)), { kind: "wait", untilMs: 1_000 });
  });

  it("goes on while there is more, and rests at the end", () => {
    const core = level({ end: 64 });
    core.start(at(0));
    core.isDue(0, WALL, at(0));
    assert.deepEqual(core.looked(looked(32, delivery(32)), at(0)), READ);
    assert.deepEqual(core.looked(looked(64, delivery(64)), at(0)), NONE);
    assert.deepEqual(core.arrived(65, deliver(-2_000), at(0)), NONE, "two deliveries are under way");
  });

  it("stops reading while too much is unsettled", () => {
    const core = level({ end: 100 });
    core.start(at(0));
    const first = delivery(10);
    core.looked(looked(10, first), at(0));
    assert.deepEqual(core.looked(looked(20, delivery(20)), at(0)), NONE);
    assert.deepEqual(core.settled(first, true, at(5)), READ);
  });

  it("calls safe only what is settled without a gap", () => {
    const core = level({ end: 30 });
    core.start(at(0));
    const [first, second] = [delivery(10), delivery(20)];
    core.looked(looked(10, first), at(0));
    core.looked(looked(20, second), at(0));
    assert.deepEqual([core.next, core.safe, core.settledNext], [20, 0, 0]);
    core.settled(second, true, at(1));
    assert.deepEqual([core.safe, core.settledNext], [0, 0]);
    core.settled(first, true, at(1));
    assert.deepEqual([core.safe, core.settledNext], [20, 20]);
  });

  it("does not call safe what timed out until the log is flushed past it", () => {
    const core = level({ end: 10 });
    core.start(at(0));
    const only = delivery(10, 900);
    core.looked(looked(10, only), at(0));
    core.settled(only, false, at(1));
    assert.deepEqual([core.safe, core.unsettled], [0, 0]);
    core.flushed(900);
    assert.equal(core.safe, 0);
    core.flushed(1_000);
    assert.equal(core.safe, 10);
  });

  it("takes written for settled but not for safe when sends are acknowledged so", () => {
    const core = level({ end: 10, settledIsSafe: false });
    core.start(at(0));
    const only = delivery(10, 900);
    core.looked(looked(10, only), at(0));
    core.settled(only, true, at(1));
    assert.deepEqual([core.safe, core.settledNext], [0, 10]);
    core.flushed(901);
    assert.equal(core.safe, 10);
  });

  it("pauses when the store takes nothing, and looks again", () => {
    const core = level({ end: 10 });
    core.start(at(0));
    assert.deepEqual(core.looked({ next: 4, delivery: delivery(4), pauseMs: 1_000 }, at(7)), {
      kind: "wait",
      untilMs: 1_007,
    });
    assert.deepEqual(core.arrived(11, deliver(8), at(8)), NONE);
    assert.deepEqual(core.woken(at(1_007)), READ);
    assert.equal(core.next, 4);
  });

  it("pauses when a read brings nothing and says nothing", () => {
    const core = level({ end: 10 });
    core.start(at(0));
    assert.deepEqual(core.looked(looked(0), at(7)), { kind: "wait", untilMs: 10_007 });
  });

  it("does nothing more once it is stopped, but knows what was under way", () => {
    const core = level({ end: 10 });
    core.start(at(0));
    core.stop();
    const late = delivery(5);
    assert.deepEqual(core.looked(looked(5, late), at(1)), NONE);
    assert.equal(core.unsettled, 1);
    assert.deepEqual(core.settled(late, true, at(2)), NONE);
    assert.equal(core.settledNext, 5);
    assert.deepEqual(core.woken(at(3)), NONE);
  });
});
