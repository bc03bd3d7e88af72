import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreError } from "../store-error.ts";
import { message, Outcome, StoreDriver } from "../testing/store-driver.ts";

const isLog = (path: string) => path.includes("/commitlog/");

function refusal(driver: StoreDriver, body = "x"): string | undefined {
  const result = driver.store.append(message(body), "flushed", new Outcome());
  return result.status === "refused" ? result.reason : undefined;
}

describe("a disk that fails a sync of the log", () => {
  it("stops writing for good, tells everybody once, and goes on serving reads", async () => {
    const driver = await StoreDriver.open();
    const failures: Error[] = [];
    driver.store.onFailed((error) => failures.push(error));
    driver.sendNow(message("safe"));
    const flushed = driver.store.status().flushedOffset;
    driver.host.files.fault = (what, path) => (what === "sync" && isLog(path) ? "EIO" : undefined);
    const outcomes: string[] = [];
    for (const body of ["a", "b", "c"]) {
      const { waiter } = driver.send(message(body));
      waiter.onSettled = (outcome) => outcomes.push(`${body} ${outcome}`);
    }
    driver.host.settle();
    assert.deepEqual(outcomes, ["a failed", "b failed", "c failed"]);
    assert.equal(failures.length, 1);
    assert.ok(failures[0] instanceof StoreError && failures[0].code === "IO");
    driver.host.files.fault = () => undefined;
    assert.equal(refusal(driver), "STORE_FAILED");
    driver.host.advance(60_000);
    assert.equal(driver.store.status().flushedOffset, flushed);
    assert.equal(driver.store.status().state, "failed");
    assert.equal(driver.store.status().refusal?.reason, "STORE_FAILED");
    assert.deepEqual(driver.bodies(), ["safe"]);
    driver.store.onFailed((error) => failures.push(error));
    assert.equal(failures.length, 2, "who asks later is told at once");
    await driver.stop();
    assert.equal(driver.store.status().stoppedCleanly, false);
  });

  it("leaves a store that the next start recovers", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("safe"));
    driver.host.files.fault = (what, path) => (what === "sync" && isLog(path) ? "EIO" : undefined);
    driver.send(message("unknown"));
    driver.host.settle();
    await driver.stop();
    const again = await driver.killed();
    assert.equal(again.bodies()[0], "safe");
    assert.equal(again.sendNow(message("next")).queueOffset, again.bodies().length - 1);
  });

  it("also ends what is being cut or stopped", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("safe"));
    driver.host.files.fault = (what, path) => (what === "sync" && isLog(path) ? "EIO" : undefined);
    const { waiter } = driver.send(message("lost?"));
    await driver.stop();
    assert.equal(waiter.outcome, "failed");
    assert.equal(driver.store.status().stoppedCleanly, false);
  });
});

describe("a disk that fails a write of the log", () => {
  it("stops writing as a failed sync does", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("safe"));
    driver.host.files.fault = (what, path) => (what === "write" && isLog(path) ? "EIO" : undefined);
    const { waiter } = driver.send(message("lost"));
    driver.host.settle();
    assert.equal(waiter.outcome, "failed");
    assert.equal(refusal(driver), "STORE_FAILED");
    assert.deepEqual(driver.bodies(), ["safe"]);
  });

  it("never calls a waiter from within an append, even when zeroing fails there", async () => {
    const driver = await StoreDriver.open();
    driver.host.files.fault = (what, path) => (what === "write" && isLog(path) ? "EIO" : undefined);
    const waiters: Outcome[] = [];
    for (let refused = false; !refused; ) {
      assert.ok(waiters.length < 100);
      const waiter = new Outcome();
      const result = driver.store.append(message("z".repeat(1000)), "flushed", waiter);
      refused = result.status === "refused" && result.reason === "STORE_FAILED";
      if (!refused) waiters.push(waiter);
      assert.ok(waiters.every(({ outcome }) => outcome === undefined));
    }
    driver.host.settle();
    assert.ok(waiters.every(({ outcome }) => outcome === "failed"));
    assert.equal(driver.store.status().state, "failed");
  });
});

describe("a full disk", () => {
  async function full(): Promise<{ driver: StoreDriver; sent: string[] }> {
    const driver = await StoreDriver.open();
    const sent: string[] = [];
    driver.host.files.freeBytes = 20_000;
    for (let index = 0; ; index += 1) {
      assert.ok(index < 1000, "the disk never fills up");
      const body = `${index}`.padEnd(500, "-");
      const waiter = new Outcome();
      const result = driver.store.append(message(body), "flushed", waiter);
      if (result.status === "refused") {
        assert.equal(result.reason, "DISK_FULL");
        assert.match(result.remark, /full/);
        return { driver, sent };
      }
      driver.host.settle();
      assert.equal(waiter.outcome, "reached", "what was accepted is stored");
      sent.push(body);
    }
  }

  it("refuses sends, serves reads, and takes sends again by itself when there is space", async () => {
    const { driver, sent } = await full();
    assert.deepEqual(driver.bodies(), sent);
    assert.equal(driver.store.status().refusal?.reason, "DISK_FULL");
    assert.equal(driver.store.status().state, "running");
    driver.host.advance(60_000);
    assert.equal(refusal(driver, "w".repeat(500)), "DISK_FULL");
    driver.host.files.freeBytes = 1_000_000;
    driver.host.advance(5_000);
    assert.equal(driver.store.status().refusal, undefined);
    assert.equal(driver.sendNow(message("again")).queueOffset, sent.length);
  });

  it("can be started and stopped, and keeps everything", async () => {
    const { driver, sent } = await full();
    const image = driver.host.files.image();
    const again = new StoreDriver({}, image);
    again.host.files.freeBytes = 0;
    // Writing over what is there takes no space: only new pages do.
    for (const [, inode] of again.host.files.names) {
      again.host.files.freeBytes = Number.POSITIVE_INFINITY;
      again.host.files.allocate(inode, "", 0, inode.bytes.length);
    }
    again.host.files.freeBytes = 12_288;
    await again.start();
    assert.deepEqual(again.bodies(), sent);
    await again.stop();
  });

  it("keeps queue units in memory and writes them when there is space", async () => {
    const driver = await StoreDriver.open();
    for (let index = 0; index < 30; index += 1) driver.sendNow(message(`q${index}`));
    driver.host.files.fault = (what, path) =>
      what === "write" && path.includes("/consumequeue/") ? "ENOSPC" : undefined;
    driver.host.advance(30_000);
    assert.equal(driver.bodies().length, 30);
    driver.sendNow(message("more"));
    driver.host.files.fault = () => undefined;
    driver.host.advance(30_000);
    await driver.stop();
    assert.equal(driver.store.status().stoppedCleanly, true);
    const again = await driver.killed();
    assert.equal(again.bodies().length, 31);
  });

  it("is said to whoever wants to create a store there", async () => {
    const driver = new StoreDriver();
    driver.host.files.freeBytes = 0;
    await assert.rejects(driver.start(), (error) => error instanceof StoreError && error.code === "NO_SPACE");
    assert.equal(driver.host.files.locks.size, 0);
    driver.host.files.freeBytes = 1e9;
    await driver.start();
    assert.equal(driver.sendNow(message("now")).queueOffset, 0);
  });
});

describe("a disk that fails syncs of ConsumeQueues", () => {
  it("has the units written again until they are durable", async () => {
    const driver = await StoreDriver.open();
    for (let index = 0; index < 30; index += 1) driver.sendNow(message(`q${index}`));
    let fails = 2;
    driver.host.files.fault = (what, path) =>
      what === "sync" && path.includes("/consumequeue/") && fails-- > 0 ? "EIO" : undefined;
    driver.host.advance(40_000);
    assert.ok(fails < 0, "it was tried again");
    assert.equal(driver.bodies().length, 30);
    const writes = driver.host.files.operations.filter(({ kind }) => kind === "write").length;
    driver.host.advance(60_000);
    assert.equal(driver.host.files.operations.filter(({ kind }) => kind === "write").length, writes);
  });
});

describe("a slow disk", () => {
  it("is told to senders as BUSY once too much waits for it", async () => {
    const driver = await StoreDriver.open({ unflushedBytesMax: 8192 });
    driver.host.files.held = true;
    let accepted = 0;
    while (refusal(driver, "s".repeat(500)) === undefined) {
      accepted += 1;
      assert.ok(accepted < 100);
      driver.host.settle();
    }
    assert.equal(refusal(driver), "BUSY");
    driver.host.files.release();
    driver.host.settle();
    assert.equal(refusal(driver), undefined);
    driver.host.settle();
    assert.equal(driver.bodies().length, accepted + 1);
  });
});
