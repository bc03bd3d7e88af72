import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumeStats } from "./consume-stats.ts";

test("rates are those of the last minute, failures are counted from the start, an unknown topic has none", () => {
  let nowMs = 0;
  const clock = { monotonicMs: () => nowMs, wallMs: () => 0 };
  const stats = new ConsumeStats(clock);
  const orders = stats.topic("orders");
  orders.pulled(nowMs, 60, 4);
  orders.pulled(nowMs, 60, 8);
  orders.ran(nowMs, 10);
  for (let i = 0; i < 30; i++) stats.topic("orders").ended(nowMs, i % 5 > 0);
  assert.deepEqual(stats.of("orders"), {
    pullRT: 6,
    pullTPS: 2,
    consumeRT: 10,
    consumeOKTPS: 0.4,
    consumeFailedTPS: 0.1,
    consumeFailedMsgs: 6,
  });
  nowMs = 59_999;
  assert.equal(stats.of("orders").pullTPS, 2);
  nowMs = 60_000;
  orders.ended(nowMs, true);
  const { pullTPS, consumeOKTPS, consumeFailedMsgs } = stats.of("orders");
  assert.deepEqual([pullTPS, consumeOKTPS, consumeFailedMsgs], [0, 1 / 60, 6]);
  assert.equal(stats.of("other").pullTPS, 0);
});
