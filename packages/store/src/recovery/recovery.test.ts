import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Logger, silentLogger } from "@orbitmq/host";
import { StoreError } from "../store-error.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";

/** A store with forty messages in two queues over several segments and queue files, stopped or killed. */
async function filled(stopped: boolean): Promise<{ image: DiskImage; bodies: string[][] }> {
  const driver = await StoreDriver.open();
  for (let index = 0; index < 80; index += 1) {
    driver.sendNow(message(`${index}`.padEnd(600, "."), { queueId: index % 2 }));
    if (index === 50) driver.host.advance(70_000);
  }
  driver.host.advance(15_000);
  driver.sendNow(message("newest"));
  const bodies = [driver.bodies("T", 0), driver.bodies("T", 1)];
  if (stopped) await driver.stop();
  return { image: driver.host.files.image(), bodies };
}

function without(image: DiskImage, matches: (path: string) => boolean): DiskImage {
  const files = new Map([...image.files].filter(([path]) => !matches(path)));
  return { files, folders: new Set([...image.folders].filter((folder) => !matches(folder))) };
}

function replaced(image: DiskImage, path: string, bytes: Buffer): DiskImage {
  return { files: new Map(image.files).set(path, bytes), folders: image.folders };
}

async function checkBodies(image: DiskImage, bodies: string[][]): Promise<StoreDriver> {
  const driver = await StoreDriver.open({}, image);
  assert.deepEqual([driver.bodies("T", 0), driver.bodies("T", 1)], bodies);
  assert.equal(driver.sendNow(message("next")).queueOffset, bodies[0]!.length);
  return driver;
}

const isCode = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code;

describe("recovery", () => {
  for (const stopped of [true, false]) {
    const how = stopped ? "an orderly stop" : "a kill";

    it(`builds all queues again when their folder is gone after ${how}`, async () => {
      const { image, bodies } = await filled(stopped);
      await checkBodies(
        without(image, (path) => path.startsWith(`${HOME}/consumequeue`)),
        bodies,
      );
    });

    it(`builds a queue again when its folder, its newest, its oldest or a middle file is gone after ${how}`, async () => {
      const { image, bodies } = await filled(stopped);
      const queueFiles = [...image.files.keys()].filter((path) => path.includes("/consumequeue/T/1/")).sort();
      assert.ok(queueFiles.length >= 2, `${queueFiles.length} files`);
      await checkBodies(
        without(image, (path) => path.startsWith(`${HOME}/consumequeue/T/1`)),
        bodies,
      );
      for (const gone of queueFiles)
        await checkBodies(
          without(image, (path) => path === gone),
          bodies,
        );
    });

    it(`builds a queue again whose newest units are garbage after ${how}`, async () => {
      const { image, bodies } = await filled(stopped);
      const path = [...image.files.keys()]
        .filter((name) => name.includes("/consumequeue/T/0/"))
        .sort()
        .at(-1)!;
      await checkBodies(replaced(image, path, Buffer.alloc(400, 7)), bodies);
    });

    it(`dates nothing by a checkpoint with a flipped bit after ${how}`, async () => {
      const { image } = await filled(stopped);
      const checkpoint = image.files.get(`${HOME}/checkpoint`)!;
      for (const without of [[], ["orbitmq-mark"]]) {
        const files = new Map(image.files);
        for (const name of without) files.delete(`${HOME}/${name}`);
        for (const bit of [0, 1, 4, 13, 63]) {
          const flipped = Buffer.from(checkpoint);
          flipped[bit >> 3] = flipped[bit >> 3]! ^ (0x80 >> (bit & 7));
          files.set(`${HOME}/checkpoint`, flipped);
          const driver = await StoreDriver.open({}, { files, folders: image.folders });
          const newest = driver.readAll().at(-1)!.storeTimestamp;
          const { lastStoreTimestamp } = driver.store.status();
          assert.ok(lastStoreTimestamp >= newest && lastStoreTimestamp <= newest + 100_000, `bit ${bit}`);
        }
      }
    });

    it(`needs neither mark nor checkpoint nor queue table after ${how}`, async () => {
      const { image, bodies } = await filled(stopped);
      for (const names of [
        ["orbitmq-mark"],
        ["checkpoint"],
        ["orbitmq-queues.json"],
        ["orbitmq-mark", "checkpoint", "orbitmq-queues.json"],
      ]) {
        await checkBodies(
          without(image, (path) => names.some((name) => path === `${HOME}/${name}`)),
          bodies,
        );
      }
      await checkBodies(replaced(image, `${HOME}/orbitmq-mark`, Buffer.alloc(4608, 3)), bodies);
      await checkBodies(replaced(image, `${HOME}/orbitmq-queues.json`, Buffer.from("{torn")), bodies);
    });
  }

  it("begins a queue with its first record when a crash kept only a later file of it", async () => {
    const driver = await StoreDriver.open();
    for (let index = 0; index < 60; index += 1) driver.sendNow(message(`${index}`));
    driver.host.advance(1_500);
    const bodies = [driver.bodies("T", 0), driver.bodies("T", 1)];
    const image = driver.host.files.image();
    const queueFiles = [...image.files.keys()].filter((path) => path.includes("/consumequeue/T/0/")).sort();
    assert.ok(queueFiles.length >= 2, `${queueFiles.length} files`);
    const lost = [queueFiles[0], `${HOME}/orbitmq-mark`, `${HOME}/orbitmq-queues.json`];
    await checkBodies(
      without(image, (path) => lost.includes(path)),
      bodies,
    );
  });

  it("names the gap when a segment is missing in the middle", async () => {
    const { image } = await filled(true);
    const driver = new StoreDriver(
      {},
      without(image, (path) => path.endsWith("00000000000000016384")),
    );
    await assert.rejects(driver.start(), (error) => {
      assert.ok(isCode("DAMAGED")(error));
      assert.match((error as Error).message, /00000000000000016384 is missing/);
      return true;
    });
  });

  it("takes lengths and names that never reached the disk for torn ones also when nobody knows how much did", async () => {
    const { image, bodies } = await filled(false);
    const isLog = (path: string) => path.includes("/commitlog/");
    const logs = [...image.files.keys()].filter(isLog).sort();
    // The zeros ahead had come to two files behind the head's.
    const next = `${HOME}/commitlog/${String(logs.length * 16_384).padStart(20, "0")}`;
    const whole = replaced(image, next, Buffer.alloc(16_384));
    const ahead = [...whole.files.keys()].filter(isLog).sort().slice(-2);
    assert.ok(image.files.get(ahead[0]!)!.every((byte) => byte === 0));
    for (const lost of ["abort", "orbitmq-mark"]) {
      // A crash took its content, or a machine's other troubles did.
      const torn = replaced(whole, `${HOME}/${lost}`, Buffer.alloc(0));
      await checkBodies(replaced(torn, ahead[0]!, Buffer.alloc(0)), bodies);
      await checkBodies(
        without(torn, (path) => path === ahead[0]),
        bodies,
      );
      const cut = replaced(torn, logs[1]!, image.files.get(logs[1]!)!.subarray(0, 5000));
      await assert.rejects(StoreDriver.open({}, cut), isCode("DAMAGED"));
      await assert.rejects(
        StoreDriver.open(
          {},
          without(torn, (path) => path === logs[1]),
        ),
        isCode("DAMAGED"),
      );
    }
  });

  it("knows its own `abort` file when a byte of it has changed, or it was cut", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("on disk"));
    const mark = driver.host.files.image().files.get(`${HOME}/orbitmq-mark`)!;
    for (let index = 0; index < 60; index += 1) driver.sendNow(message(`${index}`.padEnd(600, ".")));
    const image = replaced(driver.host.files.image(), `${HOME}/orbitmq-mark`, mark);
    const isWritten = (path: string) =>
      path.includes("/commitlog/") && image.files.get(path)!.some((byte) => byte > 0);
    const lost = [...image.files.keys()].filter(isWritten).sort().at(-2)!;
    // Of the newest but one the name came to the disk, of the newest all.
    const torn = replaced(image, lost, Buffer.alloc(0));
    const abort = image.files.get(`${HOME}/abort`)!;
    const whole = await StoreDriver.open({}, torn);
    const bodies = [whole.bodies("T", 0), whole.bodies("T", 1)];
    assert.ok(bodies[0]!.length > 0 && bodies[0]!.length < 60, `${bodies[0]!.length}`);
    const changed = Array.from(abort, (byte, at) => Buffer.from(abort).fill(byte ^ 4, at, at + 1));
    const cut = [10, abort.length - 1].map((length) => abort.subarray(0, length));
    for (const bytes of [...changed, ...cut]) {
      const again = await checkBodies(replaced(torn, `${HOME}/abort`, bytes), bodies);
      await again.stop();
      assert.equal(again.host.files.names.has(`${HOME}/abort`), false);
    }
    for (const foreign of ["1234", "1234 orbitmq 1234\n"])
      await assert.rejects(
        StoreDriver.open({}, replaced(torn, `${HOME}/abort`, Buffer.from(foreign))),
        isCode("DAMAGED"),
      );
  });

  it("refuses a log whose newest, synced part is missing, instead of starting without it", async () => {
    const { image } = await filled(true);
    const segments = [...image.files.keys()].filter((path) => path.includes("/commitlog/")).sort();
    const newest = segments.findLast((path) => !image.files.get(path)!.equals(Buffer.alloc(16 * 1024)))!;
    const removed = without(image, (path) => path >= newest && path.includes("/commitlog/"));
    await assert.rejects(new StoreDriver({}, removed).start(), isCode("DAMAGED"));
    const later = without(image, (path) => path > newest && path.includes("/commitlog/"));
    const cut = replaced(later, newest, image.files.get(newest)!.subarray(0, 100));
    await assert.rejects(new StoreDriver({}, cut).start(), isCode("DAMAGED"));
  });

  it("refuses a log with a record that was on disk and cannot be read, and names the place", async () => {
    const driver = await StoreDriver.open();
    const place = driver.sendNow(message("first")).physicalOffset + 100;
    driver.sendNow(message("second"));
    // The mark is saved, the queues are not: the next start reads both records.
    driver.host.advance(6_000);
    const image = driver.host.files.image();
    const path = `${HOME}/commitlog/00000000000000000000`;
    const bytes = Buffer.from(image.files.get(path)!);
    bytes.writeInt8(bytes.readInt8(place) ^ 1, place);
    await assert.rejects(new StoreDriver({}, replaced(image, path, bytes)).start(), (error) => {
      assert.ok(isCode("DAMAGED")(error));
      assert.match((error as Error).message, /offset 0 .*cannot be read/);
      return true;
    });
  });

  it("takes no record of its own whose seal was replaced by other bytes, holes or not", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("whole"));
    const { physicalOffset } = driver.sendNow(message("torn"));
    const end = driver.store.status().flushedOffset;
    const path = `${HOME}/commitlog/00000000000000000000`;
    const image = driver.host.files.image();
    const files = new Map(image.files);
    files.set(path, Buffer.from(image.files.get(path)!).fill('"a":1,', end - 25, end));
    const mark = `${HOME}/orbitmq-mark`;
    const first = (await StoreDriver.open()).host.files.image().files.get(mark)!;
    files.set(mark, first);
    const again = await StoreDriver.open({}, { files, folders: image.folders });
    assert.deepEqual(again.bodies(), ["whole"]);
    assert.equal(again.store.status().flushedOffset, physicalOffset);
  });

  it("takes no record whose end never reached the disk, also where nothing of ours is left to compare with", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("whole"));
    driver.host.advance(60_000);
    const { physicalOffset } = driver.sendNow(message("torn"));
    const end = driver.store.status().flushedOffset;
    const path = `${HOME}/commitlog/00000000000000000000`;
    const image = driver.host.files.image();
    const files = new Map([...image.files].filter(([name]) => !name.includes("orbitmq-")));
    files.set(path, Buffer.from(image.files.get(path)!).fill(0, end - 25, end));
    const again = await StoreDriver.open({}, { files, folders: image.folders });
    assert.deepEqual(again.bodies(), ["whole"]);
    assert.equal(again.store.status().flushedOffset, physicalOffset);
  });

  it("refuses a store of a newer version by its mark, changing nothing", async () => {
    const { image } = await filled(true);
    const { encodeForTest } = await import("../testing/newer-mark.ts");
    const newer = replaced(
      image,
      `${HOME}/orbitmq-mark`,
      encodeForTest(image.files.get(`${HOME}/orbitmq-mark`)!),
    );
    const driver = new StoreDriver({}, newer);
    await assert.rejects(driver.start(), isCode("VERSION"));
    assert.deepEqual(
      driver.host.files.operations.filter(({ kind }) => kind === "write"),
      [],
    );
  });

  it("refuses another segment length than the store was written with", async () => {
    const { image } = await filled(true);
    const driver = new StoreDriver({ mappedFileSizeCommitLog: 32 * 1024 }, image);
    await assert.rejects(driver.start(), isCode("ILLEGAL_OPTION"));
  });

  it("makes zeros of what another broker left behind the end without reading it, segments it had ready included", async () => {
    const { image, bodies } = await filled(false);
    const segments = [...image.files.keys()].filter((path) => path.includes("/commitlog/")).sort();
    const newest = segments.findLast((path) => !image.files.get(path)!.equals(Buffer.alloc(16 * 1024)))!;
    const bytes = Buffer.from(image.files.get(newest)!);
    let end = bytes.length;
    while (bytes[end - 1] === 0) end -= 1;
    bytes.fill(0x55, end + 500);
    const next = newest.replace(/\d{20}$/, (name) => String(Number(name) + 16 * 1024).padStart(20, "0"));
    const left = without(
      image,
      (path) => path === `${HOME}/orbitmq-mark` || (path > newest && path.includes("/commitlog/")),
    );
    const files = new Map(left.files).set(newest, bytes).set(next, Buffer.alloc(16 * 1024, 0x55));
    const driver = await checkBodies({ files, folders: left.folders }, bodies);
    const repaired = driver.host.files.names.get(newest)!.bytes;
    assert.ok(repaired.subarray(end + 2000).every((byte) => byte === 0));
    assert.ok(repaired.length === 16 * 1024 && !driver.host.files.names.get(next)?.bytes.includes(0x55));
    // A crash between the cut and the new length leaves a short file, and nothing behind it.
    const { operations } = driver.host.files;
    const cut = operations.findIndex(
      ({ kind }, index) => kind === "truncate" && operations[index + 1]?.kind === "truncate",
    );
    const removed = operations.findIndex((each) => each.kind === "unlink" && each.path === next);
    assert.ok(removed >= 0 && removed < cut, `removed at ${removed}, cut at ${cut}`);
  });

  it("finds the same store however often it is started and killed", async () => {
    const { image, bodies } = await filled(false);
    let driver = await StoreDriver.open({}, image);
    for (let round = 0; round < 4; round += 1) {
      assert.deepEqual(driver.bodies("T", 0), bodies[0]);
      driver = await StoreDriver.open({}, driver.host.files.image());
    }
  });

  it("reads of a killed store's log what lies behind the mark, however long the log is", async () => {
    const reads: number[] = [];
    for (const messages of [20, 400]) {
      const driver = await StoreDriver.open();
      for (let index = 0; index < messages; index += 1) driver.sendNow(message(`${index}`.padEnd(700, "l")));
      driver.host.advance(70_000);
      for (let index = 0; index < 10; index += 1) driver.sendNow(message(`new ${index}`.padEnd(700, "l")));
      const again = new StoreDriver({}, driver.host.files.image());
      let count = 0;
      again.host.files.fault = (what, path) => {
        if (what === "read" && path.includes("/commitlog/")) count += 1;
        return undefined;
      };
      await again.start();
      reads.push(count);
      again.host.files.fault = () => undefined;
      assert.equal(again.store.readableEnd("T", 0), messages + 10);
    }
    assert.ok(reads[1]! <= reads[0]! + 3, `${reads[0]} reads of a short log, ${reads[1]} of a long one`);
  });

  it("starts an orderly stopped store without reading its log", async () => {
    const { image } = await filled(true);
    const driver = await StoreDriver.open({}, image);
    // One look at the log's end, and the units that tell where the queues end.
    assert.ok(driver.host.files.reads < 40, `${driver.host.files.reads} reads`);
  });
});

describe("a log that a power loss left, with a flipped bit behind the mark", () => {
  const errors: { object: object; text: string }[] = [];
  const note = (object: object, text: string) => void errors.push({ object, text });
  const logger = { ...silentLogger, error: note } as Logger;
  const options = { mappedFileSizeCommitLog: 1024 * 1024 };
  const cutAt = async (flip: (bytes: Buffer, positions: number[]) => void) => {
    errors.length = 0;
    const before = await StoreDriver.open(options);
    before.host.advance(70_000);
    const positions = Array.from(
      { length: 60 },
      (_, index) => before.sendNow(message(`${index}`.padEnd(600, "."))).physicalOffset,
    );
    const image = before.host.files.image();
    const path = `${HOME}/commitlog/${"0".repeat(20)}`;
    const bytes = Buffer.from(image.files.get(path)!);
    flip(bytes, positions);
    // The note of what was flushed since goes with the machine's memory.
    const mark = `${HOME}/orbitmq-mark`;
    const withoutNote = replaced(image, mark, Buffer.from(image.files.get(mark)!).fill(0, 8192));
    const driver = await StoreDriver.open(options, replaced(withoutNote, path, bytes), logger);
    return { driver, positions };
  };
  const said = () => errors.filter(({ text }) => text.includes("the log is cut"));

  it("ends there, and it is said that whole records were behind it", async () => {
    const { driver, positions } = await cutAt((bytes, at) =>
      bytes.writeUInt8(bytes[at[5]! + 90]! ^ 1, at[5]! + 90),
    );
    assert.equal(driver.store.readableEnd("T", 0), 5);
    assert.equal(said().length, 1);
    const { records, from, physicalOffset } = said()[0]!.object as Record<string, number>;
    assert.deepEqual([physicalOffset, from, records], [positions[5], positions[6], 54]);
    const again = await StoreDriver.open(options, driver.host.files.image(), logger);
    assert.equal(said().length, 1, "what was cut is gone");
    assert.equal(again.sendNow(message("next")).queueOffset, 5);
  });

  it("says nothing when only the last record is torn", async () => {
    const { driver } = await cutAt((bytes, at) => bytes.fill(0, at[59]! + 90));
    assert.equal(driver.store.readableEnd("T", 0), 59);
    assert.deepEqual(said(), []);
  });
});
