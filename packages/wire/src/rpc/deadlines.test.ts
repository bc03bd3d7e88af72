import assert from "node:assert/strict";
import { test } from "node:test";
import type { Host } from "@orbitmq/host";
import { DeadlineItem, Deadlines } from "./deadlines.ts";

/** A clock moved by hand, and at most one timer, as Deadlines promises. */
function manualClock() {
  let now = 1000.5;
  let timer: { atMs: number; fn: () => void } | undefined;
  let timersSet = 0;
  const host = {
    clock: { wallMs: () => 0, monotonicMs: () => now },
    timers: {
      after(delayMs: number, fn: () => void) {
        assert.equal(timer, undefined, "one timer at a time");
        timersSet++;
        const mine = { atMs: now + delayMs, fn };
        timer = mine;
        return {
          cancel: () => {
            if (timer === mine) timer = undefined;
          },
        };
      },
    },
  } as unknown as Host;
  const advance = (byMs: number) => {
    const end = now + byMs;
    while (timer !== undefined && timer.atMs <= end) {
      const due = timer;
      timer = undefined;
      now = Math.max(now, due.atMs);
      due.fn();
    }
    now = end;
  };
  return { host, advance, now: () => now, timersSet: () => timersSet, isArmed: () => timer !== undefined };
}

class Item extends DeadlineItem {
  readonly #onExpired: (item: Item) => void;
  constructor(onExpired: (item: Item) => void) {
    super();
    this.#onExpired = onExpired;
  }
  override expired(): void {
    this.#onExpired(this);
  }
}

test("items expire in the order of their deadlines, never early and at most a bucket late", () => {
  const clock = manualClock();
  const deadlines = new Deadlines(clock.host);
  const dues: number[] = [];
  let random = 12345;
  for (let i = 0; i < 2000; i++) {
    random = (random * 1103515245 + 12345) & 0x7fffffff;
    const dueMs = clock.now() + (random % 30_000);
    deadlines.add(
      new Item(() => {
        assert.ok(clock.now() >= dueMs && clock.now() < dueMs + 10.001, `${clock.now()} for ${dueMs}`);
        dues.push(dueMs);
      }),
      dueMs - clock.now(),
    );
    if (i % 10 === 0) clock.advance(3);
  }
  clock.advance(60_000);
  assert.equal(dues.length, 2000);
  assert.equal(clock.isArmed(), false);
});

test("removed items never expire, and answered traffic sets a timer about once per timeout", () => {
  const clock = manualClock();
  const deadlines = new Deadlines(clock.host);
  for (let ms = 0; ms < 10_000; ms++) {
    const items = Array.from({ length: 5 }, () => new Item(() => assert.fail("it was removed")));
    for (const item of items) deadlines.add(item, 3000);
    clock.advance(1);
    for (const item of items) deadlines.remove(item);
    for (const item of items) deadlines.remove(item);
  }
  clock.advance(10_000);
  assert.ok(clock.timersSet() < 10, `${clock.timersSet()} timers`);
  assert.equal(clock.isArmed(), false);
});

test("an earlier deadline moves the timer forward; one added while others expire is not forgotten", () => {
  const clock = manualClock();
  const deadlines = new Deadlines(clock.host);
  const seen: string[] = [];
  deadlines.add(new Item(() => seen.push("late")), 5000);
  deadlines.add(
    new Item(() => {
      seen.push("early");
      deadlines.add(new Item(() => seen.push("added")), 20);
      deadlines.add(new Item(() => seen.push("at once")), -5);
    }),
    100,
  );
  clock.advance(200);
  assert.deepEqual(seen, ["early", "at once", "added"]);
  clock.advance(5000);
  assert.deepEqual(seen, ["early", "at once", "added", "late"]);
});

test("an item can wait again after it expired or was removed, but not twice at once", () => {
  const clock = manualClock();
  const deadlines = new Deadlines(clock.host);
  let count = 0;
  const item = new Item(() => count++);
  deadlines.add(item, 10);
  assert.throws(() => deadlines.add(item, 10), { name: "AssertionFailed" });
  deadlines.remove(item);
  deadlines.add(item, 10);
  clock.advance(30);
  deadlines.add(item, 10);
  clock.advance(30);
  assert.equal(count, 2);
  deadlines.add(item, 10);
  deadlines.stop();
  clock.advance(1000);
  assert.equal(count, 2);
});
