import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { nodeHost } from "@orbitmq/host/node";
import { ManualTime } from "./manual-time.ts";

const { timers: real } = nodeHost();
const newTime = () => new ManualTime(1_700_000_000_000.5, real);

/** Fires everything that is due until then. */
function pass(time: ManualTime, untilMs: number): void {
  while ((time.nextDueMs ?? Number.POSITIVE_INFINITY) <= untilMs) time.fireNext();
  time.moveTo(untilMs);
}

describe("time that is moved by hand", () => {
  it("fires timers at their time, those of one time in the order in which they were set", () => {
    const time = newTime();
    const fired: [string, number][] = [];
    const note = (name: string) => () => void fired.push([name, time.clock.monotonicMs()]);
    time.timers.after(20, note("late"));
    time.timers.after(10, note("first"));
    time.timers.every(10, note("every"));
    time.timers.after(10, note("last"));
    pass(time, 19.5);
    assert.deepEqual(fired, [
      ["first", 10],
      ["every", 10],
      ["last", 10],
    ]);
    pass(time, 30);
    assert.deepEqual(fired.slice(3), [
      ["late", 20],
      ["every", 20],
      ["every", 30],
    ]);
    assert.equal(time.clock.wallMs(), 1_700_000_000_030);
  });

  it("fires what a timer sets for now in a round of its own, and nothing that was cancelled", () => {
    const time = newTime();
    const fired: string[] = [];
    const doomed = time.timers.after(5, () => fired.push("doomed"));
    time.timers.after(1, () => {
      fired.push("one");
      time.timers.after(0, () => fired.push("at once"));
      time.timers.after(-3, () => fired.push("in the past"));
      doomed.cancel();
      doomed.cancel();
    });
    time.fireNext();
    assert.deepEqual(fired, ["one"]);
    time.fireNext();
    assert.deepEqual(fired, ["one", "at once", "in the past"]);
    assert.equal(time.timerCount, 0);
    pass(time, 10);
    assert.equal(fired.length, 3);
  });

  it("stops an interval from within, and goes on after one that throws", () => {
    const time = newTime();
    let rounds = 0;
    const interval = time.timers.every(1, () => {
      if (++rounds === 3) interval.cancel();
    });
    time.timers.after(1, () => {
      throw new Error("of a timer");
    });
    assert.throws(() => time.fireNext(), /of a timer/);
    pass(time, 10);
    assert.equal(rounds, 3);
  });

  it("is busy while something waits for the end of the turn, which comes by itself", async () => {
    const time = newTime();
    const done = new Promise<void>((resolve) => time.timers.afterTurn(resolve));
    assert.equal(time.busy, true);
    await done;
    assert.equal(time.busy, false);
  });
});
