import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { CrashModel, LOSE_ALL, seededRandom } from "../testing/crash-model.ts";
import type { FakeDisk } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

const SEGMENT = 8 * 1024;

/** The log's bytes below `end`, as `files` tells them. */
function logBytes(files: ReadonlyMap<string, Buffer>, end: number): Buffer {
  const parts: Buffer[] = [];
  for (let start = 0; start < end; start += SEGMENT) {
    const bytes = files.get(`${HOME}/commitlog/${String(start).padStart(20, "0")}`) ?? Buffer.alloc(0);
    parts.push(bytes.subarray(0, Math.min(SEGMENT, end - start)));
  }
  return Buffer.concat(parts);
}

describe("the log writer", () => {
  for (const flushDiskType of ["SYNC_FLUSH", "ASYNC_FLUSH"] as const) {
    it(`never counts bytes as flushed that a power loss could take, whatever the disk delays (${flushDiskType})`, async () => {
      for (let seed = 1; seed <= 8; seed += 1) {
        const random = seededRandom(seed);
        const options = { flushDiskType, mappedFileSizeCommitLog: SEGMENT, flushIntervalCommitLog: 50 };
        const driver = await StoreDriver.open(options);
        const disk: FakeDisk = driver.host.files;
        const model = new CrashModel();
        let applied = 0;
        disk.held = true;
        for (let step = 0; step < 600; step += 1) {
          const choice = random();
          if (choice < 0.2) {
            const length = random() < 0.2 ? 3000 : Math.floor(random() * 600);
            driver.store.append(message("x".repeat(length)), random() < 0.5 ? "flushed" : "written", {
              appendSettled: () => {},
            });
          } else if (choice < 0.5) disk.releaseOne();
          else if (choice < 0.52) driver.host.advance(60);
          else driver.host.turn();
          while (applied < disk.operations.length) model.apply(disk.operations[applied++]!);
          const { flushedOffset } = driver.store.status();
          const cached = logBytes(disk.image().files, flushedOffset);
          const durable = logBytes(model.crash(LOSE_ALL).files, flushedOffset);
          assert.ok(
            durable.equals(cached),
            `seed ${seed}, step ${step}: ${flushedOffset} is not all on disk`,
          );
        }
        disk.release();
        driver.host.settle();
        await driver.stop();
        assert.equal(driver.store.status().stoppedCleanly, true);
      }
    });
  }

  it("gives each segment slabs of its own, also when a blank record fits exactly", async () => {
    const driver = await StoreDriver.open({ mappedFileSizeCommitLog: SEGMENT });
    const plain = (body: string) => message(body, { properties: "" });
    driver.sendNow(plain(""));
    const overhead = driver.store.status().writtenOffset;
    const left = SEGMENT - overhead;
    // One record leaves exactly eight bytes, which a blank fills.
    for (const size of [left - 8 - 3 * overhead - 4000, 4000, 0]) driver.sendNow(plain("e".repeat(size)));
    assert.equal(driver.store.status().writtenOffset, SEGMENT - 8);
    for (const body of ["next", "and next"]) driver.send(message(body));
    driver.host.settle();
    assert.deepEqual(driver.bodies().slice(4), ["next", "and next"]);
    const again = await driver.killed({ mappedFileSizeCommitLog: SEGMENT });
    assert.equal(again.bodies().length, 6);
  });

  it("sends what gathered during a sync to the disk before it answers for that sync", async () => {
    const driver = await StoreDriver.open();
    const { files } = driver.host;
    files.held = true;
    const order: string[] = [];
    const log = files.names.get(`${HOME}/commitlog/${"0".repeat(20)}`)!.id;
    const countWrites = () =>
      files.operations.filter(
        ({ kind, ...rest }) => kind === "write" && "inode" in rest && rest.inode === log,
      ).length;
    const note = (name: string) => {
      const writes = countWrites();
      order.push(`${name} after ${writes - before} writes`);
    };
    const before = countWrites();
    driver.send(message("a")).waiter.onSettled = () => note("a");
    driver.host.settle();
    driver.send(message("b")).waiter.onSettled = () => note("b");
    driver.host.settle();
    files.release();
    driver.host.settle();
    assert.deepEqual(order, ["a after 2 writes", "b after 2 writes"]);
  });

  it("has the pool write as many zeros at once as long turns of the event loop need (ASYNC_FLUSH)", async () => {
    const chunk = 16 * 1024;
    const driver = await StoreDriver.open({
      flushDiskType: "ASYNC_FLUSH",
      mappedFileSizeCommitLog: 64 * 1024 * 1024,
      zeroChunkBytes: chunk,
      zeroAheadBytes: 32 * chunk,
    });
    const { files } = driver.host;
    const log = files.names.get(`${HOME}/commitlog/${"0".repeat(20)}`)!.id;
    /** Bytes that a turn of two chunks appends, many times. */
    for (let turn = 0; turn < 60; turn += 1) {
      for (let part = 0; part < 8; part += 1) driver.send(message("x".repeat(chunk / 4)));
      driver.host.turn();
    }
    const zeros = files.operations.flatMap((operation) =>
      operation.kind === "write" && operation.inode === log && operation.bytes.every((byte) => byte === 0)
        ? [operation.bytes.length]
        : [],
    );
    const settled = zeros.slice(zeros.length / 2);
    assert.ok(Math.min(...settled) > 2 * chunk, `${settled} bytes at a time for turns of ${2 * chunk}`);
    assert.ok(Math.max(...settled) <= 4 * chunk, "no write of zeros keeps the log's own waiting for long");
  });
});
