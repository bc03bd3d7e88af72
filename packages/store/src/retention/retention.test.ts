import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Logger } from "@orbitmq/host";
import { silentLogger } from "@orbitmq/host";
import type { RemovedMessages } from "../message-store.ts";
import type { StoreOptions } from "../store-options.ts";
import { HOME, message, Outcome, StoreDriver } from "../testing/store-driver.ts";

const HOUR = 3_600_000;
const SEGMENT = 16 * 1024;

/** Everything is expired three hours after it was stored; looked at every ten seconds, at every hour. */
const AGING: Partial<StoreOptions> = {
  cleanResourceInterval: 10_000,
  fileReservedTime: 3,
  deleteWhen: Array.from({ length: 24 }, (_, hour) => `${hour}`).join(";"),
};

const body = (index: number) => `${index}`.padEnd(900, ".");

function fill(driver: StoreDriver, from: number, to: number, queues = 1, topic = "T"): void {
  for (let index = from; index < to; index += 1) {
    driver.sendNow(message(body(index), { topic, queueId: index % queues }));
  }
}

/** Lets marks and queues reach the disk. */
const rest = (driver: StoreDriver) => driver.host.advance(30_000);

const segmentsOf = (driver: StoreDriver) =>
  [...driver.host.files.names.keys()].filter((path) => path.includes("/commitlog/")).sort();

const queueFilesOf = (driver: StoreDriver, topic = "T") =>
  [...driver.host.files.names.keys()].filter((path) => path.includes(`/consumequeue/${topic}/`)).sort();

class Lines {
  readonly lines: string[] = [];
  readonly logger: Logger;

  constructor() {
    const note = (bindings: object | string, text?: string) => {
      this.lines.push(typeof bindings === "string" ? bindings : (text ?? ""));
    };
    this.logger = { ...silentLogger, info: note, warn: note, error: note };
  }
}

describe("retention by age", () => {
  it("removes whole segments and queue files behind them, and the queue begins at the first message left", async () => {
    const driver = await StoreDriver.open(AGING);
    fill(driver, 0, 100);
    rest(driver);
    const before = segmentsOf(driver);
    driver.host.advance(2 * HOUR);
    fill(driver, 100, 130);
    rest(driver);
    const filesBefore = queueFilesOf(driver).length;
    driver.host.advance(1.5 * HOUR);
    const { minOffset } = driver.store.status();
    assert.equal(minOffset % SEGMENT, 0);
    assert.ok(minOffset > 4 * SEGMENT);
    assert.equal(segmentsOf(driver)[0], `${HOME}/commitlog/${String(minOffset).padStart(20, "0")}`);
    assert.ok(!segmentsOf(driver).includes(before[0]!));
    const first = driver.store.minOffset("T", 0);
    assert.ok(first > 60 && first <= 100, `it begins at ${first}`);
    assert.equal(driver.store.readableEnd("T", 0), 130);
    assert.equal(driver.store.status().messageCount, 130 - first);
    assert.deepEqual(
      driver.bodies(),
      Array.from({ length: 130 - first }, (_, index) => body(first + index)),
    );
    assert.equal(driver.read(0).result.status, "OFFSET_TOO_SMALL");
    assert.equal(driver.read(0).result.nextBeginOffset, first);
    assert.ok(queueFilesOf(driver).length < filesBefore);
    assert.ok(Number(queueFilesOf(driver)[0]!.slice(-20)) / 20 <= first);
    assert.equal(driver.sendNow(message("next")).queueOffset, 130);
    await driver.stop();
    const again = await driver.killed(AGING);
    assert.equal(again.store.minOffset("T", 0), first);
    assert.equal(again.bodies().length, 131 - first);
  });

  it("keeps the newest messages however old they are, and where every queue goes on", async () => {
    const driver = await StoreDriver.open(AGING);
    fill(driver, 0, 25, 1, "Silent");
    fill(driver, 0, 60, 3);
    rest(driver);
    driver.host.advance(1000 * HOUR);
    assert.equal(
      segmentsOf(driver).length,
      1 + 1,
      "the one with the newest message, and the next one's zeros",
    );
    assert.ok(driver.bodies("T", 2).length > 0);
    assert.equal(driver.store.minOffset("Silent", 0), 25);
    assert.equal(driver.read(3, { topic: "Silent" }).result.status, "OFFSET_TOO_SMALL");
    assert.equal(driver.read(25, { topic: "Silent" }).result.status, "OFFSET_OVERFLOW_ONE");
    await driver.stop();
    const again = await driver.killed(AGING);
    assert.deepEqual([again.store.minOffset("Silent", 0), again.store.readableEnd("Silent", 0)], [25, 25]);
    assert.equal(again.sendNow(message("goes on", { topic: "Silent" })).queueOffset, 25);
    assert.deepEqual(again.bodies("Silent"), ["goes on"]);
  });

  it("happens at the hour of deleteWhen only, or when asked for", async () => {
    const hours = { ...AGING, deleteWhen: "04" };
    const driver = await StoreDriver.open(hours);
    Object.assign(driver.host.process, { hourOf: (ms: number) => Math.floor(ms / HOUR) % 24 });
    driver.host.wall = Math.floor(driver.host.wall / (24 * HOUR)) * 24 * HOUR + 5 * HOUR;
    fill(driver, 0, 60);
    rest(driver);
    driver.host.advance(22 * HOUR);
    assert.equal(driver.store.status().minOffset, 0, "it is three o'clock");
    driver.store.deleteExpiredFiles();
    rest(driver);
    assert.ok(driver.store.status().minOffset > 0);
    fill(driver, 60, 120);
    const asked = driver.store.status().minOffset;
    driver.host.advance(20 * HOUR);
    assert.equal(driver.store.status().minOffset, asked);
    driver.host.advance(6 * HOUR);
    assert.ok(driver.store.status().minOffset > asked);
  });

  it("follows the messages' own time where the files' is lost, and the files' where it is younger", async () => {
    const driver = await StoreDriver.open(AGING);
    fill(driver, 0, 60);
    rest(driver);
    driver.host.advance(2 * HOUR);
    for (const [path, inode] of driver.host.files.names) {
      if (path.includes("/commitlog/")) inode.modifiedMs = driver.host.wall;
    }
    driver.host.advance(2 * HOUR);
    assert.equal(driver.store.status().minOffset, 0, "brought back two hours ago");
    driver.host.advance(1.2 * HOUR);
    assert.ok(driver.store.status().minOffset > 0);
  });

  it("waits an hour when the clock leaps forward, and says why", async () => {
    const { lines, logger } = new Lines();
    const driver = await StoreDriver.open(AGING, undefined, logger);
    fill(driver, 0, 60);
    rest(driver);
    driver.host.wall += 500 * HOUR;
    driver.host.advance(0.9 * HOUR);
    assert.equal(driver.store.status().minOffset, 0);
    assert.equal(lines.filter((line) => line.includes("leapt forward")).length, 1);
    driver.host.wall -= 500 * HOUR;
    driver.host.advance(0.5 * HOUR);
    assert.equal(driver.store.status().minOffset, 0, "it was wrong");
    driver.host.wall += 500 * HOUR;
    driver.host.advance(1.1 * HOUR);
    assert.ok(driver.store.status().minOffset > 0, "it was right");
  });

  it("keeps a store whose clock was set back for as long as it is kept anyway", async () => {
    const driver = await StoreDriver.open(AGING);
    driver.host.wall += 100 * HOUR;
    fill(driver, 0, 30);
    driver.host.wall -= 100 * HOUR;
    fill(driver, 30, 60);
    rest(driver);
    driver.host.advance(90 * HOUR);
    assert.equal(driver.store.status().minOffset, 0, "messages from the future, files without a time");
    for (const [path, inode] of driver.host.files.names) {
      if (path.includes("/commitlog/")) inode.modifiedMs = driver.host.wall - 4 * HOUR;
    }
    driver.host.advance(60_000);
    assert.ok(driver.store.status().minOffset > 0, "the files tell");
  });

  it("never takes what recovery would still need", async () => {
    const driver = await StoreDriver.open(AGING);
    fill(driver, 0, 60);
    driver.host.files.fault = (what, path) =>
      what === "sync" && path.includes("/consumequeue/") ? "EIO" : undefined;
    driver.host.advance(10 * HOUR);
    assert.equal(driver.store.status().minOffset, 0, "the queues are not on disk");
    driver.host.files.fault = () => undefined;
    driver.host.advance(HOUR);
    assert.ok(driver.store.status().minOffset > 0);
  });

  it("tells what goes before it goes", async () => {
    const driver = await StoreDriver.open(AGING);
    const told: { removed: readonly RemovedMessages[]; minOffset: number }[] = [];
    driver.store.onRemoval({
      messagesRemoved: (removed) => told.push({ removed, minOffset: driver.store.minOffset("T", 0) }),
    });
    driver.store.onRemoval({
      messagesRemoved: () => {
        throw new Error("must not matter");
      },
    });
    fill(driver, 0, 60, 2);
    rest(driver);
    driver.host.advance(4 * HOUR);
    assert.equal(told.length, 1);
    assert.equal(told[0]!.minOffset, 0);
    const [first, second] = [driver.store.minOffset("T", 0), driver.store.minOffset("T", 1)];
    assert.deepEqual(told[0]!.removed, [
      { topic: "T", queueId: 0, from: 0, to: first },
      { topic: "T", queueId: 1, from: 0, to: second },
    ]);
  });

  it("goes in batches, and asked for in rounds until nothing is expired", async () => {
    const options = { ...AGING, deleteWhen: "04", deleteFileBatchMax: 2 };
    const driver = await StoreDriver.open(options);
    Object.assign(driver.host.process, { hourOf: () => 12 });
    fill(driver, 0, 160);
    rest(driver);
    driver.host.advance(4 * HOUR);
    const sizes: number[] = [];
    driver.store.onRemoval({ messagesRemoved: (removed) => sizes.push(removed[0]!.to - removed[0]!.from) });
    driver.store.deleteExpiredFiles();
    driver.host.advance(5_000);
    assert.ok(sizes.length >= 4, `${sizes}`);
    assert.ok(sizes.every((size) => size <= 33));
    assert.equal(segmentsOf(driver).length, 2);
  });

  it("spares unexpired messages on a full disk unless told otherwise, and then tells them", async () => {
    for (const cleanFileForciblyEnable of [false, true]) {
      const driver = await StoreDriver.open({ ...AGING, cleanFileForciblyEnable });
      const told: RemovedMessages[] = [];
      driver.store.onRemoval({ messagesRemoved: (removed) => told.push(...removed) });
      fill(driver, 0, 60);
      driver.host.files.freeBytes = 1_400_000;
      driver.host.files.totalBytes = 10_000_000;
      driver.host.advance(120_000);
      assert.equal(driver.store.status().minOffset > 0, cleanFileForciblyEnable);
      assert.equal(told.length > 0, cleanFileForciblyEnable);
      assert.equal(driver.store.status().refusal, undefined);
    }
  });
});

describe("readers of what is removed", () => {
  it("on their way to the disk are told so, and never crash", async () => {
    const driver = await StoreDriver.open(AGING);
    fill(driver, 0, 100);
    rest(driver);
    driver.host.advance(2.99 * HOUR);
    driver.host.files.held = true;
    const statuses: string[] = [];
    const read = (offset: number) =>
      driver.store.get({ topic: "T", queueId: 0, offset, messagesMax: 32, bytesMax: 262_144 }, (result) => {
        statuses.push(result.status);
        result.release();
      });
    for (let offset = 0; offset < 70; offset += 7) read(offset);
    const records: (Uint8Array | undefined)[] = [];
    driver.store.recordAt(SEGMENT, (record) => records.push(record));
    const times: number[] = [];
    driver.store.offsetByTime("T", 0, driver.host.wall - HOUR, "lower", (offset) => times.push(offset));
    driver.host.advance(0.1 * HOUR);
    driver.host.files.release();
    driver.host.settle();
    driver.host.advance(60_000);
    assert.ok(driver.store.status().minOffset > 0);
    assert.equal(statuses.length, 10);
    for (const status of statuses) {
      assert.ok(["FOUND", "MESSAGE_WAS_REMOVING", "OFFSET_TOO_SMALL"].includes(status), status);
    }
    assert.equal(records.length, 1);
    assert.equal(times.length, 1);
    assert.equal(driver.read(0).result.status, "OFFSET_TOO_SMALL");
  });
});

describe("a removal that fails", () => {
  it("leaves the rest, is tried again later, and never leaves a gap", async () => {
    const { lines, logger } = new Lines();
    const driver = await StoreDriver.open(AGING, undefined, logger);
    fill(driver, 0, 100);
    rest(driver);
    let unlinks = 0;
    driver.host.files.fault = (what, path) =>
      what === "unlink" && path.includes("/commitlog/") && ++unlinks >= 3 ? "EACCES" : undefined;
    driver.host.advance(3.1 * HOUR);
    assert.equal(driver.store.status().minOffset, 2 * SEGMENT);
    assert.ok(driver.store.minOffset("T", 0) > 0);
    assert.ok(unlinks < 10, `${unlinks} tries`);
    assert.ok(lines.some((line) => line.includes("cannot be removed")));
    const killed = await driver.killed();
    assert.equal(killed.store.minOffset("T", 0), driver.store.minOffset("T", 0));
    driver.host.files.fault = (what, path) =>
      what === "sync" && path.endsWith("/commitlog") ? "EIO" : undefined;
    driver.host.advance(300_000);
    assert.equal(
      driver.store.status().minOffset,
      3 * SEGMENT,
      "one goes, and must be synced before the next",
    );
    driver.host.files.fault = () => undefined;
    driver.host.advance(300_000);
    assert.ok(driver.store.status().minOffset > 4 * SEGMENT);
    assert.equal(driver.sendNow(message("fine")).queueOffset, 100);
  });
});

describe("cleaning queues", () => {
  it("is taken up again by hand after a crash that left files behind", async () => {
    const driver = await StoreDriver.open({ ...AGING, deleteConsumeQueueFilesInterval: 1_000_000 });
    fill(driver, 0, 100);
    rest(driver);
    driver.host.advance(3.02 * HOUR);
    assert.ok(driver.store.minOffset("T", 0) > 60);
    const again = await driver.killed({ deleteConsumeQueueFilesInterval: 10 });
    const left = queueFilesOf(again);
    again.store.cleanExpiredConsumeQueues();
    again.store.cleanExpiredConsumeQueues();
    again.host.advance(1_000);
    assert.ok(queueFilesOf(again).length < left.length);
    assert.ok(queueFilesOf(again).length > 0);
    again.store.cleanExpiredConsumeQueues();
    again.host.advance(1_000);
    await again.stop();
    again.store.cleanExpiredConsumeQueues();
    again.store.deleteExpiredFiles();
    assert.equal(again.host.armed, 0);
  });
});

describe("a disk that is nearly full", () => {
  it("refuses messages above the warning level, reads on, and takes them again when there is space", async () => {
    const driver = await StoreDriver.open({ cleanResourceInterval: 10_000 });
    fill(driver, 0, 10);
    driver.host.files.freeBytes = 90_000;
    driver.host.files.totalBytes = 1_000_000;
    driver.host.advance(70_000);
    const refused = driver.store.append(message("x"), "flushed", new Outcome());
    assert.equal(refused.status === "refused" && refused.reason, "DISK_FULL");
    assert.match(refused.status === "refused" ? refused.remark : "", /\/data\/store.* 9\d(\.\d)? % full/);
    assert.equal(driver.store.status().refusal?.reason, "DISK_FULL");
    assert.equal(driver.bodies().length, 10);
    driver.host.files.freeBytes = 120_000;
    driver.host.advance(10_000);
    assert.equal(driver.store.status().refusal?.reason, "DISK_FULL", "not before it is below 85 %");
    driver.host.files.freeBytes = 160_000;
    driver.host.advance(10_000);
    assert.equal(driver.store.status().refusal, undefined);
    assert.equal(driver.sendNow(message("again")).queueOffset, 10);
  });

  it("at the start is looked at again after one interval, not after a minute", async () => {
    const before = await StoreDriver.open();
    fill(before, 0, 10);
    await before.stop();
    const driver = new StoreDriver({ cleanResourceInterval: 10_000 }, before.host.files.image());
    driver.host.files.freeBytes = 90_000;
    driver.host.files.totalBytes = 1_000_000;
    await driver.start();
    assert.equal(driver.store.status().refusal?.reason, "DISK_FULL");
    driver.host.files.freeBytes = 500_000;
    driver.host.advance(10_000);
    assert.equal(driver.store.status().refusal, undefined);
    assert.equal(driver.sendNow(message("again")).queueOffset, 10);
  });
});
