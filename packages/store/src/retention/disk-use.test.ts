import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { message, StoreDriver } from "../testing/store-driver.ts";
import type { DiskUseReport } from "./disk-use.ts";

function measured(driver: StoreDriver): DiskUseReport {
  let found: DiskUseReport | undefined;
  driver.store.diskUse((error, report) => {
    assert.equal(error, undefined);
    found = report;
  });
  driver.host.settle();
  assert.notEqual(found, undefined);
  return found!;
}

describe("the store's use of the disk", () => {
  it("tells lengths and real blocks of log, queues and the rest apart", async () => {
    const driver = await StoreDriver.open({ storePathCommitLog: "/disk1/log,/data/store/commitlog" });
    for (let index = 0; index < 40; index += 1) {
      driver.sendNow(message("x".repeat(1000), { queueId: index % 3 }));
    }
    driver.host.advance(30_000);
    const before = measured(driver);
    driver.host.files.openSync("/data/store/index/20260101000000000", { create: true }).truncateSync(9000);
    driver.host.advance(30_000);
    const { commitLog, consumeQueue, index, other } = measured(driver);
    assert.deepEqual(commitLog.bytes, commitLog.files * 16_384);
    assert.equal(commitLog.files >= 3, true);
    assert.equal(commitLog.allocatedBytes >= 40_000 && commitLog.allocatedBytes < commitLog.bytes, true);
    assert.deepEqual([consumeQueue.files, consumeQueue.bytes], [3, 1200]);
    assert.equal(index.files, before.index.files + 1);
    assert.equal(index.bytes, before.index.bytes + 9000);
    assert.equal(index.allocatedBytes, before.index.allocatedBytes);
    assert.equal(other.files >= 3, true, "checkpoint, mark, abort");
  });

  it("is measured again only after a while", async () => {
    const driver = await StoreDriver.open();
    const first = measured(driver);
    driver.sendNow(message("x".repeat(4000)));
    assert.equal(measured(driver), first);
    driver.host.advance(30_000);
    assert.equal(measured(driver).commitLog.allocatedBytes > first.commitLog.allocatedBytes, true);
  });
});
