import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AppendWaiter } from "../message-store.ts";
import { message, StoreDriver } from "../testing/store-driver.ts";

const ASYNC = { flushDiskType: "ASYNC_FLUSH" } as const;
const QUIET: AppendWaiter = { appendSettled: () => {} };

/** Syncs of the CommitLog's files that have come to their end. */
function logSyncs({ host: { files } }: StoreDriver): number {
  const inodes = new Set(
    [...files.names].filter(([path]) => path.includes("/commitlog/")).map(([, { id }]) => id),
  );
  return files.operations.filter((each) => each.kind === "sync" && inodes.has(each.inode)).length;
}

describe("SYNC_FLUSH", () => {
  it("shows nothing behind the flushed position by any path, and all of it once the sync has returned", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("flushed"));
    const arrivals: number[] = [];
    driver.store.subscribeArrivals({ messageArrived: (_topic, _queue, end) => arrivals.push(end) });
    const { store, host } = driver;
    const follower = { logGrew: () => {}, logCut: () => {} };
    const tail = store.subscribeTail(store.status().writtenOffset, follower);
    let told = 0;
    const eagerFollower = {
      logGrew: () => {
        told += 1;
      },
      logCut: () => {},
    };
    const eager = store.subscribeTail(store.status().writtenOffset, eagerFollower, { unflushed: true });
    const followed = (subscription: typeof tail) => {
      let length = 0;
      subscription.next(1 << 20, (_error, chunk) => {
        length = chunk?.bytes.length ?? 0;
        chunk?.release();
      });
      return length;
    };
    host.files.held = true;
    const waiting = driver.send(message("waits for the disk"));
    // The page cache is all that this one asks for; readers ask for more.
    const cached = driver.send(message("waits for the page cache"), "written");
    host.settle();
    assert.deepEqual([waiting.waiter.outcome, cached.waiter.outcome], [undefined, "reached"]);
    const { flushedOffset, writtenOffset, readableLimit, messageCount } = store.status();
    assert.equal(readableLimit, flushedOffset);
    assert.ok(writtenOffset > flushedOffset, "it is written");

    const seen = () => {
      const byTime: number[] = [];
      for (const boundary of ["lower", "upper"] as const) {
        store.offsetByTime("T", 0, host.wall + 1, boundary, (offset) => byTime.push(offset));
      }
      let byOffset = 0;
      for (const { result } of [waiting, cached]) {
        store.recordAt(result.physicalOffset, (record) => {
          if (record !== undefined) byOffset += 1;
        });
      }
      let time = 0;
      store.storeTimestampAt("T", 0, 1, (timestamp) => {
        time = timestamp;
      });
      return {
        pull: driver.read(0).bodies.length,
        next: driver.read(1).result.status,
        end: store.readableEnd("T", 0),
        inMemory: store.isInMemory("T", 0, 1),
        byTime,
        byOffset,
        hasTime: time > 0,
        followed: followed(tail) > 0,
        arrivals: [...arrivals],
      };
    };
    assert.deepEqual(seen(), {
      pull: 1,
      next: "OFFSET_OVERFLOW_ONE",
      end: 1,
      inMemory: false,
      byTime: [1, 0],
      byOffset: 0,
      hasTime: false,
      followed: false,
      arrivals: [],
    });
    assert.equal(messageCount, 1);
    assert.ok(told > 0 && followed(eager) > 0, "who answers for it may have it");
    host.files.release();
    host.settle();
    assert.deepEqual(seen(), {
      pull: 3,
      next: "FOUND",
      end: 3,
      inMemory: true,
      byTime: [3, 2],
      byOffset: 2,
      hasTime: true,
      followed: true,
      arrivals: [2, 3],
    });
  });

  it("makes one sync of what many have appended meanwhile, whatever each of them waits for", async () => {
    const driver = await StoreDriver.open({ zeroChunkBytes: 16 * 1024, zeroAheadBytes: 16 * 1024 });
    driver.sendNow(message("first"));
    driver.host.files.held = true;
    driver.send(message("leader"));
    driver.host.settle();
    const waiters = Array.from({ length: 64 }, (_, index) =>
      driver.send(message(`${index}`), index % 2 === 0 ? "flushed" : "written"),
    );
    driver.host.settle();
    const before = logSyncs(driver);
    driver.host.files.release();
    driver.host.settle();
    const syncs = logSyncs(driver) - before;
    assert.ok(syncs <= 3, `${syncs} syncs: the leader's, one for all the others, one of zeros`);
    assert.ok(waiters.every(({ waiter }) => waiter.outcome === "reached"));
  });

  it("syncs what nobody waits for, too", async () => {
    const driver = await StoreDriver.open();
    driver.store.append(message("WAIT=false"), "written", QUIET);
    driver.host.settle();
    const { flushedOffset, writtenOffset } = driver.store.status();
    assert.equal(flushedOffset, writtenOffset);
  });
});

describe("ASYNC_FLUSH", () => {
  it("waits for no sync: appends are written and read before any, over zeros and segments not yet synced", async () => {
    const driver = await StoreDriver.open(ASYNC);
    const before = logSyncs(driver);
    driver.host.files.held = true;
    const bodies: string[] = [];
    for (let index = 0; index < 60; index += 1) {
      const body = `${index}`.padEnd(600, "~");
      bodies.push(body);
      const { waiter } = driver.send(message(body), "written");
      driver.host.turn();
      // The pool may be at zeros that this append needs: they go on, no sync does.
      for (let tries = 0; waiter.outcome === undefined && tries < 3; tries += 1) {
        driver.host.files.releaseOne();
        driver.host.turn();
        driver.host.turn();
      }
      assert.equal(waiter.outcome, "reached", `message ${index}`);
    }
    assert.ok(driver.store.status().writtenOffset > 2 * 16 * 1024, "over segments");
    assert.equal(logSyncs(driver), before);
    assert.equal(driver.host.files.operations.filter(({ kind }) => kind === "syncFailed").length, 0);
    driver.host.files.release();
    driver.host.settle();
    assert.equal(logSyncs(driver), before, "zeros are no reason to sync");
    assert.deepEqual(driver.bodies(), bodies);
    assert.deepEqual((await driver.killed(ASYNC)).bodies(), bodies, "no zeros came over what was written");
  });

  it("syncs after flushIntervalCommitLog when there are flushCommitLogLeastPages of it", async () => {
    const driver = await StoreDriver.open({
      ...ASYNC,
      flushConsumeQueueLeastBytes: 1024 * 1024,
      slabBytes: 32 * 1024,
      maxMessageSize: 16 * 1024,
      mappedFileSizeCommitLog: 64 * 1024,
    });
    driver.send(message("p".repeat(15 * 1024)), "written");
    driver.send(message("p".repeat(2 * 1024)), "written");
    const before = logSyncs(driver);
    driver.host.advance(499);
    assert.equal(logSyncs(driver), before);
    driver.host.advance(1);
    assert.equal(logSyncs(driver), before + 1);
    const { flushedOffset, writtenOffset } = driver.store.status();
    assert.equal(flushedOffset, writtenOffset);
  });

  it("syncs before flushIntervalCommitLog when an eighth of unflushedBytesMax waits", async () => {
    const driver = await StoreDriver.open({ ...ASYNC, unflushedBytesMax: 64 * 1024 });
    const before = logSyncs(driver);
    for (let index = 0; index < 7; index += 1) driver.send(message("e".repeat(1024)), "written");
    driver.host.settle();
    assert.equal(logSyncs(driver), before, "less than an eighth");
    driver.send(message("e".repeat(1024)), "written");
    driver.host.settle();
    assert.equal(logSyncs(driver), before + 1);
    assert.equal(driver.store.status().flushedOffset, driver.store.status().writtenOffset);
  });

  it("leaves fewer pages until flushCommitLogThoroughInterval is over", async () => {
    const driver = await StoreDriver.open(ASYNC);
    driver.send(message("small"), "written");
    driver.host.settle();
    // Queue rounds ask for a sync of their own; without them there is only the schedule.
    const before = logSyncs(driver);
    driver.host.advance(9_499);
    assert.equal(logSyncs(driver), before);
    driver.host.advance(1_001);
    assert.ok(logSyncs(driver) > before);
    assert.equal(driver.store.status().flushedOffset, driver.store.status().writtenOffset);
  });

  it("syncs at once for a message that waits for the disk", async () => {
    const driver = await StoreDriver.open(ASYNC);
    driver.send(message("not waiting"), "written");
    const { waiter } = driver.send(message("waiting"), "flushed");
    driver.host.settle();
    assert.equal(waiter.outcome, "reached");
    assert.equal(driver.store.status().flushedOffset, driver.store.status().writtenOffset);
  });

  it("loses no more than what no sync has carried, and comes back whole before it", async () => {
    const driver = await StoreDriver.open(ASYNC);
    const bodies: string[] = [];
    for (let index = 0; index < 30; index += 1) {
      bodies.push(`${index}`.padEnd(500, "-"));
      driver.send(message(bodies[index]!), "written");
      driver.host.advance(100);
    }
    assert.deepEqual(await (await driver.killed(ASYNC)).bodies(), bodies, "a killed process loses nothing");
  });
});
