import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check } from "./check.ts";
import { type HistoryEvent, LAST_READER } from "./history.ts";

type WithoutTime<T> = T extends unknown ? Omit<T, "atMs"> : never;
type Step = readonly [atMs: number, event: WithoutTime<HistoryEvent>];

const QUEUE = "orders@broker-a:0";
const WALL_MS = 1_000_000;

/** A message that was sent at 0 to be delivered after ten seconds, or at `deliverAtMs`. */
function brokenBy(
  steps: readonly Step[],
  options: Partial<CheckOptions> = {},
  deliverAtMs?: number,
): readonly string[] {
  const time = { delayMs: 10_000, deliverAtMs };
  const sent: Step = [0, { kind: "send", id: "m", producer: "p", waits: false, time }];
  const history = [sent, ...steps].map(([atMs, event]) => ({ ...event, atMs }) as HistoryEvent);
  const all: CheckOptions = { flush: "SYNC_FLUSH", groups: [], wallStartMs: WALL_MS, ...options };
  return check(history, all).violations.map(({ invariant, detail }) => `${invariant}: ${detail}`);
}

const taken = (survives = true): WithoutTime<HistoryEvent> => ({
  kind: "timer-acknowledged",
  id: "m",
  broker: "broker-a",
  survives,
});
const seen = (offset = 0): WithoutTime<HistoryEvent> => ({
  kind: "seen",
  by: LAST_READER,
  queue: QUEUE,
  offset,
  id: "m",
  copy: String(offset),
  intact: true,
  survives: true,
});
const recall = (step: "asked" | "taken" | "refused" | "unknown"): WithoutTime<HistoryEvent> => ({
  kind: "recall",
  id: "m",
  step,
});
const stepped = (byMs: number): WithoutTime<HistoryEvent> => ({
  kind: "clock-stepped",
  broker: "broker-a",
  byMs,
});
const ended: WithoutTime<HistoryEvent> = { kind: "broker-ended", broker: "broker-a" };

test("a message that comes once at its time breaks nothing, nor does one that was recalled and does not come", () => {
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [10_100, seen()],
    ]),
    [],
  );
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [9, recall("asked")],
      [10, recall("taken")],
    ]),
    [],
  );
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [9, recall("asked")],
      [10, recall("unknown")],
    ]),
    [],
  );
});

test("a message is early when its broker's clock has not shown its time, whatever other clocks show", () => {
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [9_900, seen()],
    ]),
    ["not-early: m was seen by last-reader, at orders@broker-a:0 offset 0, 100 ms before its time"],
  );
  const other: Step = [7, { kind: "clock-stepped", broker: "broker-b", byMs: 60_000 }];
  assert.equal(brokenBy([[5, taken()], other, [9_900, seen()]]).length, 1);
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [7, stepped(60_000)],
      [20, seen()],
    ]),
    [],
  );
});

test("a clock that is set back puts a message off, unless it had shown the time before", () => {
  const back: Step = [7, stepped(-60_000)];
  assert.deepEqual(brokenBy([[5, taken()], back, [10_100, seen()]]), [
    "not-early: m was seen by last-reader, at orders@broker-a:0 offset 0, 9993 ms before its time",
  ]);
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [10_100, stepped(-60_000)],
      [10_200, seen()],
    ]),
    [],
  );
});

test("a delay counts from the earliest time the clock shows while the message is sent, a time is a time", () => {
  assert.deepEqual(
    brokenBy([
      [3, stepped(-60_000)],
      [5, taken()],
      [10_100, seen()],
    ]),
    [],
  );
  const at = WALL_MS + 10_000;
  assert.equal(
    brokenBy(
      [
        [3, stepped(-60_000)],
        [5, taken()],
        [10_100, seen()],
      ],
      {},
      at,
    ).length,
    1,
  );
  assert.deepEqual(
    brokenBy(
      [
        [5, taken()],
        [10_000, seen()],
      ],
      {},
      at,
    ),
    [],
  );
});

test("what waits is on disk, and comes", () => {
  assert.deepEqual(
    brokenBy([
      [5, taken(false)],
      [10_100, seen()],
    ]),
    ["durable: m, which waits on broker-a, was not on disk yet"],
  );
  assert.deepEqual(brokenBy([[5, taken()]]), [
    "timed-kept: m waited on broker-a for its time and never came",
  ]);
  assert.equal(
    brokenBy([
      [5, taken()],
      [9, recall("asked")],
      [10, recall("refused")],
    ]).length,
    1,
  );
});

test("it comes once, unless its broker ended meanwhile", () => {
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [10_100, seen(0)],
      [10_200, seen(1)],
    ]),
    ["timed-kept: m came 2 times from broker-a, which was there all the time"],
  );
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [10_100, seen(0)],
      [10_150, ended],
      [10_200, seen(1)],
    ]),
    [],
  );
});

test("a recall that was taken holds, before and after", () => {
  const when = "last-reader, at orders@broker-a:0 offset 0";
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [9, recall("asked")],
      [10, recall("taken")],
      [10_100, seen()],
    ]),
    [`recalled: m was recalled and is seen by ${when}`],
  );
  assert.deepEqual(
    brokenBy([
      [5, taken()],
      [10_100, seen()],
      [10_200, recall("asked")],
      [10_300, recall("taken")],
    ]),
    [`recalled: m is recalled, and ${when} had seen it before`],
  );
});

test("what a power loss may have taken under ASYNC_FLUSH, or retention has removed, is not waited for", () => {
  const lost: Step = [9, { kind: "cache-lost", broker: "broker-a" }];
  assert.deepEqual(brokenBy([[5, taken()], lost], { flush: "ASYNC_FLUSH" }), []);
  const recalled: readonly Step[] = [
    [5, taken()],
    [6, recall("asked")],
    [7, recall("taken")],
  ];
  const seenLater: Step = [10_100, seen()];
  assert.deepEqual(brokenBy([...recalled, lost, seenLater], { flush: "ASYNC_FLUSH" }), []);
  const removed: Step = [9, { kind: "removed", queue: QUEUE, from: 0, to: 5 }];
  assert.deepEqual(brokenBy([[5, taken()], removed]), []);
});
