import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLoop } from "./event-loop.ts";
import type { EventOwner } from "./event-queue.ts";
import { SeededRandom } from "./seeded-random.ts";
import { Trace } from "./trace.ts";

function newLoop(): EventLoop {
  return new EventLoop(new Trace(), (_owner, error) => {
    throw error;
  });
}

test("events run in the order of their times, and in the order of scheduling within one", async () => {
  const loop = newLoop();
  const random = new SeededRandom(1);
  const expected: [number, number][] = [];
  const seen: [number, number][] = [];
  for (let i = 0; i < 2000; i++) {
    const at = random.int(300);
    expected.push([at, i]);
    loop.scheduleInternal(at, undefined, "timer", i, () => seen.push([loop.nowUs, i]));
  }
  await loop.run(1_000);
  expected.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  assert.deepEqual(seen, expected);
  assert.equal(loop.nowUs, 1_000);
});

test("every microtask of an event ends before the next event begins", async () => {
  const loop = newLoop();
  const log: string[] = [];
  const chain = async (name: string) => {
    for (let i = 0; i < 5; i++) {
      await undefined;
      log.push(name);
    }
  };
  loop.schedule(1, undefined, "timer", 0, () => void chain("a"));
  loop.schedule(1, undefined, "timer", 0, () => void chain("b"));
  loop.schedule(2, undefined, "timer", 0, () => void chain("c"));
  await loop.run(10);
  assert.equal(log.join(""), "aaaaabbbbbccccc");
});

test("an internal event that calls product code has its microtasks finished too", async () => {
  const loop = newLoop();
  const log: string[] = [];
  loop.scheduleInternal(1, undefined, "timer", 0, () => {
    loop.productRan();
    void Promise.resolve().then(() => log.push("microtask"));
  });
  loop.scheduleInternal(1, undefined, "timer", 0, () => log.push("next"));
  await loop.run(10);
  assert.deepEqual(log, ["microtask", "next"]);
});

test("events of a dead owner never run and those of a paused one wait in their order", async () => {
  const loop = newLoop();
  const owner = { id: 1, alive: true, pausedUntilUs: 50 };
  const log: string[] = [];
  const at = (us: number, by: EventOwner | undefined, text: string) =>
    loop.schedule(us, by, "timer", 0, () => log.push(`${text}@${loop.nowUs}`));
  at(10, owner, "a");
  at(20, owner, "b");
  at(30, undefined, "world");
  at(60, owner, "c");
  at(70, owner, "never");
  loop.schedule(65, undefined, "fault", 0, () => {
    owner.alive = false;
  });
  await loop.run(100);
  assert.deepEqual(log, ["world@30", "a@50", "b@50", "c@60"]);
});

test("a cancelled event does not run", async () => {
  const loop = newLoop();
  const event = loop.schedule(5, undefined, "timer", 0, () => assert.fail("it ran"));
  loop.schedule(1, undefined, "timer", 0, () => {
    event.cancelled = true;
  });
  await loop.run(10);
});

test("what a callback throws ends the run with that error unless the world takes it", async () => {
  const loop = newLoop();
  loop.schedule(1, undefined, "timer", 0, () => {
    throw new Error("thrown inside");
  });
  await assert.rejects(loop.run(10), /thrown inside/);
  const taken: unknown[] = [];
  const tolerant = new EventLoop(new Trace(), (_owner, error) => taken.push(error));
  tolerant.schedule(1, undefined, "timer", 0, () => {
    throw new Error("taken");
  });
  await tolerant.run(10);
  assert.equal(taken.length, 1);
});

test("a run stops where it was told to and goes on from there", async () => {
  const loop = newLoop();
  const log: number[] = [];
  for (const at of [10, 20, 30]) loop.schedule(at, undefined, "timer", 0, () => log.push(at));
  await loop.run(20);
  assert.deepEqual(log, [10, 20]);
  await loop.run(40);
  assert.deepEqual(log, [10, 20, 30]);
});
