import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ManualHost } from "../testing/manual-host.ts";
import { NamedStats } from "./named-stats.ts";

describe("NamedStats", () => {
  it("counts over the last minute, hour and day", () => {
    const host = new ManualHost();
    const stats = new NamedStats(host.clock, host.timers);
    stats.add("TOPIC_PUT_SIZE", "orders", 600, 3);
    host.advance(30_000);
    assert.deepEqual(stats.data("TOPIC_PUT_SIZE", "orders")?.statsMinute, { sum: 600, tps: 20, avgpt: 200 });
    host.advance(50_000);
    assert.equal(stats.tps("TOPIC_PUT_SIZE", "orders"), 0, "more than a minute ago");
    stats.add("TOPIC_PUT_SIZE", "orders", 100);
    host.advance(20_000);
    const data = stats.data("TOPIC_PUT_SIZE", "orders")!;
    assert.equal(data.statsMinute.sum, 100);
    assert.deepEqual([data.statsHour.sum, data.statsDay.sum], [700, 700]);
    host.advance(2 * 3_600_000);
    stats.add("TOPIC_PUT_SIZE", "orders", 1);
    const later = stats.data("TOPIC_PUT_SIZE", "orders")!;
    assert.equal(later.statsDay.sum, 701);
  });

  it("knows nothing of what was never counted, and counts no more keys than it keeps", () => {
    const host = new ManualHost();
    const stats = new NamedStats(host.clock, host.timers);
    assert.equal(stats.data("TOPIC_PUT_NUMS", "orders"), undefined);
    assert.equal(stats.data("__proto__", "orders"), undefined);
    assert.equal(stats.tps("TOPIC_PUT_NUMS", "orders"), 0);
    for (let i = 0; i <= 20_000; i++) stats.add("TOPIC_PUT_NUMS", `t${i}`, 1);
    assert.equal(stats.data("TOPIC_PUT_NUMS", "t19999")?.statsDay.sum, 1);
    assert.equal(stats.data("TOPIC_PUT_NUMS", "t20000"), undefined);
  });

  it("has no timer running while nothing moves", () => {
    const host = new ManualHost();
    const stats = new NamedStats(host.clock, host.timers);
    stats.add("BROKER_PUT_NUMS", "c", 1);
    assert.equal(host.timerCount, 1);
    host.advance(10_000);
    assert.equal(host.timerCount, 0);
  });
});
