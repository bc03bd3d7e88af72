import assert from "node:assert/strict";
import { test } from "node:test";
import { type CheckOptions, check } from "./check.ts";
import { type HistoryEvent, LAST_READER } from "./history.ts";

type WithoutTime<T> = T extends unknown ? Omit<T, "atMs"> : never;

const OPTIONS: CheckOptions = { flush: "SYNC_FLUSH", groups: [] };
const QUEUE = "orders@broker-a:0";

function brokenBy(
  steps: readonly WithoutTime<HistoryEvent>[],
  options: Partial<CheckOptions> = {},
): readonly string[] {
  const sent: WithoutTime<HistoryEvent> = {
    kind: "send",
    id: "m",
    producer: "p",
    waits: false,
    isHalf: true,
  };
  const history = [sent, ...steps].map((step, index) => ({ ...step, atMs: index }) as HistoryEvent);
  return check(history, { ...OPTIONS, ...options }).violations.map(
    ({ invariant, detail }) => `${invariant}: ${detail}`,
  );
}

const taken = (survives = true): WithoutTime<HistoryEvent> => ({
  kind: "half-acknowledged",
  id: "m",
  broker: "broker-a",
  survives,
});
const decided = (decision: "commit" | "rollback"): WithoutTime<HistoryEvent> => ({
  kind: "decided",
  id: "m",
  decision,
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
const parked = (copy: string, isLast = true): WithoutTime<HistoryEvent> => ({
  kind: "parked",
  id: "m",
  broker: "broker-a",
  copy,
  isLast,
});
const resumed: WithoutTime<HistoryEvent> = { kind: "resumed", id: "m", broker: "broker-a" };

test("a transaction that was committed and seen once breaks nothing, nor does one that was rolled back or parked", () => {
  assert.deepEqual(brokenBy([taken(), decided("commit"), seen()]), []);
  assert.deepEqual(brokenBy([taken(), decided("rollback")]), []);
  assert.deepEqual(brokenBy([taken(), parked("7")]), []);
  assert.deepEqual(brokenBy([taken(), parked("7"), resumed, decided("commit"), seen()]), []);
});

test("a half whose fate is not decided, or whose transaction was rolled back, is seen by nobody", () => {
  assert.deepEqual(brokenBy([taken(), seen(), decided("commit")]), [
    "half-invisible: last-reader saw m, which is not committed, at orders@broker-a:0 offset 0",
  ]);
  assert.deepEqual(brokenBy([taken(), decided("rollback"), seen()]), [
    "half-invisible: last-reader saw m, which is rolled back, at orders@broker-a:0 offset 0",
  ]);
});

test("a half that is acknowledged is on disk", () => {
  assert.deepEqual(brokenBy([taken(false), decided("rollback")]), [
    "durable: the half of m on broker-a was not on disk yet",
  ]);
});

test("what was committed is there, once", () => {
  assert.deepEqual(brokenBy([taken(), decided("commit")]), [
    "transaction-kept: m of broker-a was committed and is nowhere",
  ]);
  assert.deepEqual(brokenBy([taken(), decided("commit"), seen(0), seen(1)]), [
    "ended-once: m was committed 2 times",
  ]);
});

test("what nobody has decided is parked, once, and is not committed as well", () => {
  assert.deepEqual(brokenBy([taken()]), [
    "transaction-kept: m of broker-a was left undecided and is not parked",
  ]);
  assert.deepEqual(brokenBy([taken(), parked("7", false)]), [
    "transaction-kept: m of broker-a was left undecided and is not parked",
  ]);
  assert.deepEqual(brokenBy([taken(), parked("7"), parked("8")]), [
    "ended-once: m was parked 2 times, and resumed 0 times",
  ]);
  assert.deepEqual(brokenBy([taken(), decided("commit"), seen(), parked("7")]), [
    "ended-once: m was committed and parked 1 times, and resumed 0 times",
  ]);
});

test("an operator who resumes twice may make two transactions of one", () => {
  const steps = [taken(), parked("7"), resumed, resumed, decided("commit"), seen(0), seen(1)];
  assert.deepEqual(brokenBy(steps), []);
});

test("a broker that says of both ends of a transaction that it has taken them breaks the rule", () => {
  const twice: WithoutTime<HistoryEvent> = { kind: "ended-twice", broker: "broker-a", position: 12 };
  assert.deepEqual(brokenBy([taken(), decided("commit"), seen(), twice]), [
    "ended-once: the half at 12 of broker-a has ended, and was then ended the other way",
  ]);
});

test("what a power loss may have taken under ASYNC_FLUSH, or retention has removed, is not asked for", () => {
  const lost: WithoutTime<HistoryEvent> = { kind: "cache-lost", broker: "broker-a" };
  assert.deepEqual(brokenBy([taken(), decided("commit"), lost], { flush: "ASYNC_FLUSH" }), []);
  assert.equal(brokenBy([taken(), decided("commit"), lost]).length, 1);
  const removed: WithoutTime<HistoryEvent> = { kind: "removed", queue: QUEUE, from: 0, to: 5 };
  assert.deepEqual(brokenBy([taken(), decided("commit"), removed]), []);
});
