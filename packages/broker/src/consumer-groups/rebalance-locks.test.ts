import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageQueue } from "@orbitmq/wire";
import { RebalanceLocks } from "./rebalance-locks.ts";

const LIVE = 60_000;

function queue(queueId: number, brokerName = "broker-a"): MessageQueue {
  return { topic: "orders", brokerName, queueId };
}

const ids = (queues: readonly MessageQueue[]): number[] => queues.map(({ queueId }) => queueId);

describe("RebalanceLocks", () => {
  it("gives a queue to the first who asks, and to nobody else while it is held", () => {
    const locks = new RebalanceLocks(LIVE, 100);
    assert.deepEqual(ids(locks.lock("g", "a", [queue(0), queue(1)], 0)), [0, 1]);
    assert.deepEqual(ids(locks.lock("g", "b", [queue(1), queue(2)], 10)), [2]);
    assert.deepEqual(ids(locks.lock("other", "b", [queue(1)], 10)), [1], "another group");
    assert.deepEqual(ids(locks.lock("g", "b", [queue(1, "broker-b")], 10)), [1], "another broker's queue");
  });

  it("lets a lock live as long as it is renewed, and 60 s longer", () => {
    const locks = new RebalanceLocks(LIVE, 100);
    locks.lock("g", "a", [queue(0)], 0);
    assert.deepEqual(ids(locks.lock("g", "a", [queue(0)], 50_000)), [0]);
    assert.deepEqual(locks.lock("g", "b", [queue(0)], 110_000), []);
    assert.deepEqual(ids(locks.lock("g", "b", [queue(0)], 110_001)), [0]);
    assert.deepEqual(locks.lock("g", "a", [queue(0)], 110_002), []);
  });

  it("frees only the holder's own, and tells whether somebody waits", () => {
    const locks = new RebalanceLocks(LIVE, 100);
    locks.lock("g", "a", [queue(0), queue(1)], 0);
    assert.equal(locks.unlock("g", "b", [queue(0)]), false);
    assert.deepEqual(locks.lock("g", "b", [queue(0)], 1), []);
    assert.equal(locks.unlock("g", "a", [queue(1)]), false, "nobody asked for it");
    assert.equal(locks.unlock("g", "a", [queue(0), queue(1)]), true);
    assert.equal(locks.unlock("g", "a", [queue(0)]), false);
    assert.equal(locks.size, 0);
  });

  it("frees everything of a client that left", () => {
    const locks = new RebalanceLocks(LIVE, 100);
    locks.lock("g", "a", [queue(0), queue(1)], 0);
    locks.lock("g", "b", [queue(0), queue(2)], 0);
    assert.equal(locks.left("g", "a"), true);
    assert.equal(locks.left("unknown", "a"), false);
    assert.deepEqual(ids(locks.lock("g", "c", [queue(0), queue(1), queue(2)], 1)), [0, 1]);
  });

  it("knows whether a group consumes in order at all", () => {
    const locks = new RebalanceLocks(LIVE, 100);
    assert.equal(locks.isAllExpired("g", 0), true);
    locks.lock("g", "a", [queue(0)], 0);
    assert.equal(locks.isAllExpired("g", 60_000), false);
    assert.equal(locks.isAllExpired("g", 60_001), true);
  });

  it("forgets what has expired, and names who waits for it and until when", () => {
    const locks = new RebalanceLocks(LIVE, 100);
    locks.lock("g", "a", [queue(0)], 0);
    locks.lock("quiet", "a", [queue(0)], 0);
    assert.equal(locks.nextWantedMs(), undefined);
    locks.lock("g", "b", [queue(0)], 5);
    assert.equal(locks.nextWantedMs(), LIVE);
    locks.lock("g", "a", [queue(0)], 20_000);
    assert.equal(locks.nextWantedMs(), 20_000 + LIVE);
    assert.deepEqual(locks.expire(70_000), []);
    assert.deepEqual(locks.expire(80_001), ["g"]);
    assert.equal(locks.size, 0);
  });

  it("keeps to its limit", () => {
    const locks = new RebalanceLocks(LIVE, 2);
    assert.deepEqual(ids(locks.lock("g", "a", [queue(0), queue(1), queue(2)], 0)), [0, 1]);
    assert.deepEqual(locks.lock("h", "a", [queue(0)], 0), []);
    assert.equal(locks.size, 2);
    locks.unlock("g", "a", [queue(0)]);
    assert.deepEqual(ids(locks.lock("h", "a", [queue(0)], 0)), [0]);
  });
});
