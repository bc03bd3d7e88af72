import assert from "node:assert/strict";
import { test } from "node:test";
import { FaultTable } from "./fault-table.ts";

/** How long a broker is not available after such a latency. */
function avoidedMs(latencyMs: number, failed = false): number {
  let nowMs = 1_000;
  const faults = new FaultTable(() => nowMs);
  faults.update("a", latencyMs, failed, true);
  for (let ms = 0; ms <= 60_000; ms += 100) {
    nowMs = 1_000 + ms;
    if (faults.isAvailable("a")) return ms;
  }
  return Number.POSITIVE_INFINITY;
}

test("a broker is avoided for as long as RocketMQ's tables say of its latency", () => {
  const latencies = [0, 49, 50, 100, 549, 550, 1_799, 1_800, 2_999, 3_000, 4_999, 5_000, 14_999, 15_000];
  assert.deepEqual(
    latencies.map((ms) => avoidedMs(ms)),
    [0, 0, 0, 0, 0, 2_000, 2_000, 5_000, 5_000, 6_000, 6_000, 10_000, 10_000, 30_000],
  );
});

test("a failure counts as a latency of ten seconds, however fast it came", () => {
  assert.equal(avoidedMs(1, true), 10_000);
});

test("a fast answer does not end the time a broker is avoided for, and a shorter time does not shorten it", () => {
  let nowMs = 0;
  const faults = new FaultTable(() => nowMs);
  faults.update("a", 15_000, false, true);
  faults.update("a", 1, false, true);
  faults.update("a", 600, false, true);
  nowMs = 29_999;
  assert.equal(faults.isAvailable("a"), false);
  nowMs = 30_000;
  assert.equal(faults.isAvailable("a"), true);
});

test("a broker is reachable again when it answers, and nothing is known of strangers", () => {
  const faults = new FaultTable(() => 0);
  assert.equal(faults.isReachable("a") && faults.isAvailable("a"), true);
  faults.update("a", 1, true, false);
  assert.equal(faults.isReachable("a"), false);
  faults.answered("a");
  faults.answered("b");
  assert.equal(faults.isReachable("a"), true);
  faults.forget("a");
  assert.equal(faults.size, 0);
});

test("each broker is looked at once in an interval", () => {
  let nowMs = 0;
  const faults = new FaultTable(() => nowMs);
  faults.update("a", 1, true, false);
  assert.deepEqual(faults.due(2_000), ["a"]);
  nowMs = 1_999;
  assert.deepEqual(faults.due(2_000), []);
  nowMs = 2_000;
  assert.deepEqual(faults.due(2_000), ["a"]);
});
