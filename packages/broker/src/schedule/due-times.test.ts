import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DueTimes, type Moment } from "./due-times.ts";

const DELAY = 10_000;
const WALL = 1_700_000_000_000;

/** A clock whose wall time is `stepMs` off. */
function at(monotonicMs: number, stepMs = 0): Moment {
  return { monotonicMs, wallMs: Math.floor(WALL + monotonicMs + stepMs) };
}

/** Stores a message: the store's clock never goes back. */
class Log {
  readonly due = new DueTimes(DELAY, at(0));
  readonly deliverAt: number[] = [];
  #last = 0;

  store(moment: Moment): number {
    this.#last = Math.max(this.#last, moment.wallMs);
    this.deliverAt.push(this.#last + DELAY);
    this.due.arrived(this.deliverAt.length - 1, this.#last + DELAY, moment);
    return this.deliverAt.length - 1;
  }

  dueMs(offset: number, now: Moment): number {
    return this.due.dueMs(offset, this.deliverAt[offset]!, now);
  }
}

describe("DueTimes", () => {
  it("follows the wall clock to the millisecond while it does not step", () => {
    const log = new Log();
    const offset = log.store(at(500.4));
    const dueMs = log.dueMs(offset, at(600));
    assert.equal(dueMs, 10_500);
    assert.ok(dueMs <= 10_500.4);
    assert.equal(log.due.stretches, 1);
  });

  it("is not early when the clock is set forward after a message was stored", () => {
    const log = new Log();
    const offset = log.store(at(1_000));
    assert.equal(log.dueMs(offset, at(2_000, 3_600_000)), 11_000);
  });

  it("is not late when the clock is set back after a message was stored", () => {
    const log = new Log();
    const offset = log.store(at(1_000));
    assert.equal(log.dueMs(offset, at(2_000, -3_600_000)), 11_000);
  });

  it("keeps the delay while the store's clock stands still", () => {
    const log = new Log();
    const before = log.store(at(1_000));
    const standing = [5_000, 7_000, 9_000].map((ms) => log.store(at(ms, -60_000)));
    assert.equal(log.dueMs(before, at(9_000, -60_000)), 11_000);
    assert.deepEqual(
      standing.map((offset) => log.dueMs(offset, at(9_000, -60_000))),
      [15_000, 17_000, 19_000],
    );
  });

  it("knows messages of both sides of a step apart", () => {
    const log = new Log();
    const early = log.store(at(1_000));
    const late = log.store(at(2_000, 60_000));
    assert.equal(log.dueMs(early, at(2_500, 60_000)), 11_000);
    assert.equal(log.dueMs(late, at(2_500, 60_000)), 12_000);
  });

  it("lets a message of a former life wait no longer than one delay", () => {
    const due = new DueTimes(DELAY, at(0));
    assert.equal(due.dueMs(3, WALL + 4_000, at(100)), 4_000, "by the wall clock");
    assert.equal(due.dueMs(4, WALL - 4_000, at(100)), -4_000, "long due");
    assert.equal(due.dueMs(5, WALL + 3_600_000, at(100)), DELAY, "the clock was set back meanwhile");
  });

  it("is rather late than early when there are more steps than it keeps", () => {
    const log = new Log();
    for (let i = 0; i < 5_000; i++) log.store(at(i, i * 1_000));
    assert.equal(log.due.stretches, 4_096);
    const now = at(5_000, 5_000_000);
    for (const offset of [10, 4_000, 4_999]) assert.ok(log.dueMs(offset, now) >= offset + DELAY, `${offset}`);
  });
});
