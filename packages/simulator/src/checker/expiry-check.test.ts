import assert from "node:assert/strict";
import { test } from "node:test";
import { check, type Invariant } from "./check.ts";
import type { HistoryEvent } from "./history.ts";

const HOUR_MS = 3_600_000;
const QUEUE = "t@a:0";

/** Message 1 at offset 0, sent at 1 s and acknowledged at 2 s, message 2 at offset 1. */
const stored: HistoryEvent[] = ["1", "2"].flatMap((id, offset): HistoryEvent[] => [
  { kind: "send", atMs: 1_000, id, producer: "p", waits: false },
  { kind: "acknowledged", atMs: 2_000, id, queue: QUEUE, offset, survives: true },
]);
const second: HistoryEvent = {
  kind: "seen",
  atMs: 9_000,
  by: "reader",
  queue: QUEUE,
  offset: 1,
  id: "2",
  copy: "2",
  intact: true,
  survives: true,
};
const stepped = (hours: number, atMs = 5_000): HistoryEvent => ({
  kind: "clock-stepped",
  atMs,
  broker: "a",
  byMs: hours * HOUR_MS,
});
const removed = (to: number, atMs = 7_000): HistoryEvent => ({
  kind: "removed",
  atMs,
  queue: QUEUE,
  from: 0,
  to,
});
const drained = (from: number, to: number): HistoryEvent => ({
  kind: "drained",
  atMs: 9_000,
  queue: QUEUE,
  from,
  to,
});

function broken(...history: HistoryEvent[]): Invariant[] {
  const { violations } = check([...stored, ...history], {
    flush: "SYNC_FLUSH",
    groups: [],
    reservedMs: HOUR_MS,
  });
  return violations.map(({ invariant }) => invariant);
}

test("what has expired may be removed, and need not be", () => {
  assert.deepEqual(broken(stepped(2), removed(1), second, drained(1, 2)), []);
  assert.deepEqual(
    broken(stepped(2), removed(1), { ...second, offset: 0, id: "1" } as HistoryEvent, second, drained(0, 2)),
    [],
  );
});

test("what is younger than fileReservedTime must not be removed", () => {
  assert.deepEqual(broken(removed(1), second, drained(1, 2)), ["expired-only"]);
  assert.deepEqual(broken(stepped(-2), removed(1), second, drained(1, 2)), ["expired-only"]);
  assert.deepEqual(
    broken(stepped(2, 500), removed(1), second, drained(1, 2)),
    ["expired-only"],
    "it stepped before",
  );
  assert.deepEqual(
    broken(removed(1), stepped(2, 8_000), second, drained(1, 2)),
    ["expired-only"],
    "or after",
  );
  assert.deepEqual(
    broken(stepped(-5, 3_000), stepped(5), removed(1), second, drained(1, 2)),
    [],
    "an hour has passed",
  );
});

test("nothing is gone that retention did not name", () => {
  assert.deepEqual(broken(stepped(2), second, drained(1, 2)), ["acknowledged-kept"]);
  assert.deepEqual(broken(stepped(2), removed(1), drained(2, 2)), ["acknowledged-kept"]);
});

test("a queue without messages keeps its end", () => {
  assert.deepEqual(broken(stepped(2), removed(2), drained(2, 2)), []);
  assert.ok(broken(stepped(2), removed(2), drained(0, 0)).includes("acknowledged-kept"));
});
