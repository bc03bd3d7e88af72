import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { physicalOffset } from "@orbitmq/host";
import { StoreError } from "../store-error.ts";
import { finish } from "../testing/fake-host.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

async function cut(driver: StoreDriver, offset: number): Promise<void> {
  await finish(driver.host, driver.store.truncateTo(physicalOffset(offset)));
}

const sized = (name: string) => name.padEnd(500, ".");

describe("truncation", () => {
  it("cuts queues, positions and memory, and goes on from there", async () => {
    const driver = await StoreDriver.open();
    const places: number[] = [];
    for (let index = 0; index < 60; index += 1) {
      places.push(driver.sendNow(message(sized(`${index}`), { queueId: index % 2 })).physicalOffset);
    }
    driver.host.advance(15_000);
    await cut(driver, places[21]!);
    const status = driver.store.status();
    assert.deepEqual(
      [status.flushedOffset, status.writtenOffset, status.readableLimit],
      [places[21], places[21], places[21]],
    );
    assert.equal(status.messageCount, 21);
    assert.deepEqual([driver.store.readableEnd("T", 0), driver.store.readableEnd("T", 1)], [11, 10]);
    assert.equal(driver.read(11).result.status, "OFFSET_OVERFLOW_ONE");
    assert.equal(driver.sendNow(message("new", { queueId: 1 })).queueOffset, 10);
    assert.equal(driver.store.status().messageCount, 22);
    assert.deepEqual(driver.bodies("T", 1).slice(9), [sized("19"), "new"]);
    const again = await driver.killed();
    assert.deepEqual(again.bodies("T", 1).slice(9), [sized("19"), "new"]);
    assert.equal(again.bodies("T", 0).length, 11);
  });

  it("leaves zeros where it cut, in log and queues, and removes later segments", async () => {
    const driver = await StoreDriver.open();
    for (let index = 0; index < 60; index += 1) driver.sendNow(message(sized(`${index}`)));
    driver.host.advance(15_000);
    await cut(driver, 0);
    await driver.stop();
    for (const [path, inode] of driver.host.files.names) {
      const isData = path.includes("/commitlog/") || path.startsWith(`${HOME}/consumequeue/`);
      if (isData)
        assert.ok(
          inode.bytes.every((byte) => byte === 0),
          path,
        );
    }
    assert.deepEqual(
      [...driver.host.files.names.keys()].filter((path) => path.includes("/commitlog/")),
      [`${HOME}/commitlog/00000000000000000000`],
    );
  });

  it("fails appends that wait behind it, keeps those before it, and their queue offsets", async () => {
    const driver = await StoreDriver.open();
    const { files } = driver.host;
    driver.sendNow(message("first"));
    files.held = true;
    const kept = [driver.send(message("a")), driver.send(message("b", { queueId: 1 }))];
    driver.host.settle();
    const alsoKept = driver.send(message("c"));
    const lost = [driver.send(message("d")), driver.send(message("e", { queueId: 1 }))];
    const done = cut(driver, lost[0]!.result.physicalOffset);
    driver.host.turn();
    files.release();
    await done;
    driver.host.settle();
    assert.deepEqual(
      [...kept, alsoKept].map(({ waiter }) => waiter.outcome),
      ["reached", "reached", "reached"],
    );
    assert.deepEqual(
      lost.map(({ waiter }) => waiter.outcome),
      ["failed", "failed"],
    );
    assert.deepEqual([driver.bodies("T", 0), driver.bodies("T", 1)], [["first", "a", "c"], ["b"]]);
    assert.equal(driver.sendNow(message("f")).queueOffset, 3);
    assert.equal(driver.sendNow(message("g", { queueId: 1 })).queueOffset, 1);
  });

  it("gives a read that it overtakes what is there afterwards", async () => {
    const driver = await StoreDriver.open();
    const places: number[] = [];
    for (let index = 0; index < 100; index += 1) {
      places.push(driver.sendNow(message(sized(`${index}`))).physicalOffset);
    }
    driver.host.advance(15_000);
    driver.host.files.held = true;
    const statuses: string[] = [];
    for (const offset of [2, 50]) {
      driver.store.get({ topic: "T", queueId: 0, offset, messagesMax: 1, bytesMax: 1e6 }, (result) => {
        statuses.push(`${offset} ${result.status}`);
        result.release();
      });
    }
    const done = driver.store.truncateTo(physicalOffset(places[10]!));
    driver.host.files.release();
    await finish(driver.host, done);
    driver.host.settle();
    assert.deepEqual(statuses.sort(), ["2 FOUND", "50 OFFSET_OVERFLOW_BADLY"]);
  });

  it("tells followers of the log, who go on from the cut", async () => {
    const driver = await StoreDriver.open();
    const places = ["a", "b", "c"].map((body) => driver.sendNow(message(body)).physicalOffset);
    const cuts: number[] = [];
    const follower = { logGrew: () => {}, logCut: (offset: number) => cuts.push(offset) };
    const subscription = driver.store.subscribeTail(physicalOffset(0), follower);
    subscription.next(1e6, (_, chunk) => chunk?.release());
    await cut(driver, places[1]!);
    assert.deepEqual(cuts, [places[1]]);
    assert.equal(subscription.position, places[1]);
  });

  it("refuses what does not lie in the log, and appends while it is under way", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("x"));
    const isState = (error: unknown) => error instanceof StoreError && error.code === "STATE";
    await assert.rejects(driver.store.truncateTo(physicalOffset(1_000_000)), isState);
    driver.host.files.held = true;
    driver.send(message("y"));
    driver.host.settle();
    const done = cut(driver, 0);
    const refused = driver.store.append(message("z"), "flushed", { appendSettled: () => {} });
    assert.deepEqual([refused.status, refused.status === "refused" && refused.reason], ["refused", "BUSY"]);
    driver.host.files.release();
    await done;
    assert.equal(driver.sendNow(message("again")).queueOffset, 0);
  });

  it("is waited for by a stop", async () => {
    const driver = await StoreDriver.open();
    const places = ["a", "b", "c"].map((body) => driver.sendNow(message(body)).physicalOffset);
    driver.host.files.held = true;
    driver.send(message("d"));
    driver.host.settle();
    const both = [cut(driver, places[1]!), driver.stop()];
    driver.host.files.release();
    await Promise.all(both);
    assert.equal(driver.store.status().stoppedCleanly, true);
    assert.deepEqual((await driver.killed()).bodies(), ["a"]);
  });

  it("stops the store for good when the disk fails during it", async () => {
    const driver = await StoreDriver.open();
    const places = ["a", "b", "c"].map((body) => driver.sendNow(message(body)).physicalOffset);
    driver.host.files.fault = (what, path) =>
      what === "sync" && path.includes("/commitlog/") ? "EIO" : undefined;
    await assert.rejects(cut(driver, places[1]!));
    assert.equal(driver.store.status().state, "failed");
    // Not announced on disk yet, so not done: who asked for it was told.
    assert.deepEqual((await driver.killed()).bodies(), ["a", "b", "c"]);
  });

  it("is finished by recovery once it was announced", async () => {
    const driver = await StoreDriver.open();
    const places = ["a", "b", "c"].map((body) => driver.sendNow(message(body)).physicalOffset);
    let syncs = 0;
    driver.host.files.fault = (what, path) =>
      what === "sync" && path.includes("/commitlog") && ++syncs > 1 ? "EIO" : undefined;
    await assert.rejects(cut(driver, places[1]!));
    assert.deepEqual((await driver.killed()).bodies(), ["a"]);
  });

  it("leaves nothing that a later start could take the cut queues for longer by", async () => {
    const driver = await StoreDriver.open();
    const places = ["a", "b", "c"].map((body) => driver.sendNow(message(body)).physicalOffset);
    // The queue table is on disk, with three messages.
    driver.host.advance(70_000);
    let syncs = 0;
    driver.host.files.fault = (what, path) =>
      what === "sync" && path.includes("/commitlog") && ++syncs > 1 ? "EIO" : undefined;
    await assert.rejects(cut(driver, places[1]!));
    const first = await driver.killed();
    assert.equal(first.sendNow(message("B")).queueOffset, 1);
    // On disk, without a round that would have saved the queue table.
    first.host.advance(6_000);
    const second = await first.killed();
    assert.deepEqual(second.bodies(), ["a", "B"]);
    assert.equal(second.sendNow(message("C")).queueOffset, 2);
    assert.deepEqual((await second.killed()).bodies(), ["a", "B", "C"]);
  });
});
