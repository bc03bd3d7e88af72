/** Stores that the Java broker has left (wire/testdata/store: RocketMQ 5.5.0), clean, killed, and without queues. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { javaHash } from "@orbitmq/wire";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

const golden = (name: string): Buffer =>
  readFileSync(new URL(`../../../wire/testdata/store/${name}`, import.meta.url));

const OPTIONS = {
  mappedFileSizeCommitLog: 64 * 1024,
  mappedFileSizeConsumeQueue: 6_000,
  zeroChunkBytes: 4096,
  maxMessageSize: 16 * 1024,
};
const QUEUES = [
  "GoldenStore",
  "SCHEDULE_TOPIC_XXXX",
  "RMQ_SYS_TRANS_HALF_TOPIC",
  "RMQ_SYS_TRANS_OP_HALF_TOPIC",
];

function padded(bytes: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  bytes.copy(result);
  return result;
}

function javaStore(what: { abort?: string; queues?: boolean; tail?: Buffer }): DiskImage {
  const head = golden("commitlog-head.bin");
  const segment = padded(head, OPTIONS.mappedFileSizeCommitLog);
  what.tail?.copy(segment, head.length);
  const files = new Map([
    [`${HOME}/commitlog/00000000000000000000`, segment],
    // The Java broker allocates the next file early.
    [`${HOME}/commitlog/00000000000000065536`, Buffer.alloc(OPTIONS.mappedFileSizeCommitLog)],
    [`${HOME}/checkpoint`, padded(golden("checkpoint.bin"), 4096)],
  ]);
  const folders = new Set(["/", "/data", HOME, `${HOME}/commitlog`, `${HOME}/consumequeue`]);
  if (what.abort !== undefined) files.set(`${HOME}/abort`, Buffer.from(what.abort));
  if (what.queues !== false) {
    for (const topic of QUEUES) {
      folders.add(`${HOME}/consumequeue/${topic}`).add(`${HOME}/consumequeue/${topic}/0`);
      const units = padded(golden(`consumequeue/${topic}-0.bin`), OPTIONS.mappedFileSizeConsumeQueue);
      files.set(`${HOME}/consumequeue/${topic}/0/00000000000000000000`, units);
    }
  }
  return { files, folders };
}

async function checkStore(driver: StoreDriver): Promise<void> {
  const { store } = driver;
  assert.equal(store.readableEnd("GoldenStore", 0), 9);
  const records = driver.readAll("GoldenStore", 0);
  assert.deepEqual(
    records.map((record) => record.queueOffset),
    [0, 1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.equal(store.readableEnd("SCHEDULE_TOPIC_XXXX", 0), 3);
  assert.equal(store.readableEnd("RMQ_SYS_TRANS_HALF_TOPIC", 0), 2);
  const newest = driver.sendNow(message("from OrbitMQ", { topic: "GoldenStore" }));
  assert.equal(newest.queueOffset, 9);
  assert.equal(newest.physicalOffset, golden("commitlog-head.bin").length);
  assert.ok(newest.storeTimestamp >= Math.max(...records.map((record) => record.storeTimestamp)));
  await driver.stop();
  for (const topic of QUEUES) {
    const units = driver.host.files.names.get(`${HOME}/consumequeue/${topic}/0/00000000000000000000`)?.bytes;
    assert.equal(units?.length, OPTIONS.mappedFileSizeConsumeQueue);
    const expected = golden(`consumequeue/${topic}-0.bin`);
    assert.deepEqual(units.subarray(0, expected.length), expected, `${topic}: units as Java writes them`);
  }
}

describe("a store the Java broker left", () => {
  it("is read and continued after an orderly stop", async () => {
    await checkStore(await StoreDriver.open(OPTIONS, javaStore({})));
  });

  it("is recovered after a kill", async () => {
    await checkStore(await StoreDriver.open(OPTIONS, javaStore({ abort: "12345" })));
  });

  it("gets its queues again from the log, delivery times of the schedule topic included", async () => {
    await checkStore(await StoreDriver.open(OPTIONS, javaStore({ queues: false })));
    await checkStore(await StoreDriver.open(OPTIONS, javaStore({ queues: false, abort: "1" })));
  });

  it("gets those queues again from the log that a Java broker has filled with ConsumeQueueExt addresses", async () => {
    const image = javaStore({});
    const path = `${HOME}/consumequeue/GoldenStore/0/00000000000000000000`;
    const units = Buffer.from(image.files.get(path)!);
    // The address of unit n: 20 n bytes into the ext file, counted from Long.MIN_VALUE.
    for (let unit = 0; unit < 9; unit += 1) {
      units.writeUInt32BE(0x8000_0000, unit * 20 + 12);
      units.writeUInt32BE(unit * 20, unit * 20 + 16);
    }
    const ext = `${HOME}/consumequeue_ext/GoldenStore/0`;
    const files = new Map(image.files)
      .set(path, units)
      .set(`${ext}/00000000000000000000`, Buffer.alloc(4096, 1));
    const folders = new Set(image.folders);
    folders.add(`${HOME}/consumequeue_ext`).add(`${HOME}/consumequeue_ext/GoldenStore`).add(ext);
    for (const abort of [undefined, "4711"]) {
      const all = new Map(files);
      if (abort !== undefined) all.set(`${HOME}/abort`, Buffer.from(abort));
      const driver = await StoreDriver.open(OPTIONS, { files: all, folders });
      const tag = javaHash("TagA");
      const read = driver.read(0, { topic: "GoldenStore", matches: (code) => code === tag });
      assert.ok(read.records.length > 0, "messages are found by their tag");
      await checkStore(driver);
      assert.ok(![...driver.host.files.names.keys()].some((name) => name.includes("consumequeue_ext")));
    }
  });

  it("is cut behind its last whole record, and nothing behind it comes back", async () => {
    const plain = golden("records/goldenstore-plain.bin");
    const torn = Buffer.concat([plain.subarray(0, 100), Buffer.alloc(151, 0xaa), plain]);
    await checkStore(await StoreDriver.open(OPTIONS, javaStore({ abort: "1", tail: torn })));
    await checkStore(await StoreDriver.open(OPTIONS, javaStore({ tail: torn })));
  });

  it("is not mistaken for our own when Java has had it in between", async () => {
    const ours = await StoreDriver.open(OPTIONS, javaStore({}));
    ours.sendNow(message("ours", { topic: "GoldenStore" }));
    await ours.stop();
    // Java takes the store, appends nothing new to the queue files, is killed: its abort file stays.
    const image = ours.host.files.image();
    const files = new Map(image.files).set(`${HOME}/abort`, Buffer.from("4242"));
    const again = await StoreDriver.open(OPTIONS, { files, folders: image.folders });
    assert.equal(again.store.readableEnd("GoldenStore", 0), 10);
    await again.stop();

    // Java has appended a record in an orderly run: the mark no longer tells the end.
    const java = again.host.files.image();
    const segment = Buffer.from(java.files.get(`${HOME}/commitlog/00000000000000000000`)!);
    const end = again.store.status().flushedOffset;
    const record = Buffer.from(golden("records/goldenstore-plain.bin"));
    record.writeInt32BE(10, 24);
    record.writeInt32BE(end, 32);
    record.copy(segment, end);
    const grown = new Map(java.files).set(`${HOME}/commitlog/00000000000000000000`, segment);
    const third = await StoreDriver.open(OPTIONS, { files: grown, folders: java.folders });
    assert.equal(third.store.readableEnd("GoldenStore", 0), 11);
  });
});
