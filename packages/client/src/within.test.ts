import assert from "node:assert/strict";
import { test } from "node:test";
import { TestWorld } from "./testing/test-world.ts";
import { within } from "./within.ts";

test("what is waited for may settle either way, or not at all", async () => {
  const w = new TestWorld();
  const { timers } = w.host;
  const never = new Promise<void>(() => {});
  const startedMs = w.world.nowMs;
  await w.settle(within(timers, 1_000, [Promise.resolve(), Promise.reject(new Error("no"))]));
  assert.ok(w.world.nowMs - startedMs < 100);
  await w.settle(within(timers, 1_000, [Promise.reject(new Error("no")), never]));
  assert.ok(w.world.nowMs - startedMs >= 1_000);
});
