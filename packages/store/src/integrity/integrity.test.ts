import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { javaHash, plainCrc32 } from "@orbitmq/wire";
import { StoreError } from "../store-error.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";
import { formatText } from "./checksum-folder.ts";
import { SkipList } from "./skip-list.ts";

const QUEUE_FILE = `${HOME}/consumequeue/T/0/00000000000000000000`;
const SUMS_FILE = `${HOME}/orbitmq-checksums/consumequeue/T/0/00000000000000000000`;
const LOG_FILE = `${HOME}/commitlog/00000000000000000000`;
const OPTIONS = { hotTailBytes: 4096 };

async function stopped(count = 50): Promise<{ image: DiskImage; bodies: string[] }> {
  const driver = await StoreDriver.open(OPTIONS);
  const bodies: string[] = [];
  for (let index = 0; index < count; index += 1) {
    bodies.push(`${index}/`.padEnd(200, "b"));
    driver.sendNow(message(bodies[index]!));
  }
  driver.sendNow(message("neighbour", { queueId: 1 }));
  driver.host.advance(70_000);
  await driver.stop();
  return { image: driver.host.files.image(), bodies };
}

function changed(image: DiskImage, path: string, change: (bytes: Buffer) => void): DiskImage {
  const bytes = Buffer.from(image.files.get(path)!);
  change(bytes);
  return { files: new Map(image.files).set(path, bytes), folders: image.folders };
}

const tagged = (code: number): boolean => code === javaHash("tag");

function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("a ConsumeQueue whose tags code has flipped", () => {
  it("withholds no message, is corrected on disk, and says so", async () => {
    const { image, bodies } = await stopped();
    const warnings: string[] = [];
    const logger = { trace() {}, debug() {}, info() {}, error() {}, fatal() {} };
    const warn = (_: object, text: string) => void warnings.push(text);
    const damaged = changed(image, QUEUE_FILE, (bytes) =>
      bytes.writeUInt8(bytes[5 * 20 + 19]! ^ 1, 5 * 20 + 19),
    );
    const driver = await StoreDriver.open(OPTIONS, damaged, { ...logger, warn } as never);
    assert.deepEqual(driver.read(0, { matches: tagged }).bodies, bodies.slice(0, 32));
    assert.deepEqual(driver.read(32, { matches: tagged }).bodies, bodies.slice(32));
    assert.equal(driver.store.status().integrity.wrongUnits, 1);
    assert.ok(warnings.some((text) => text.includes("ConsumeQueue unit was wrong")));
    const healed = driver.host.files.image().files.get(QUEUE_FILE)!;
    assert.deepEqual(healed, image.files.get(QUEUE_FILE));
  });

  it("finds the record again when it is the position or the size", async () => {
    const { image, bodies } = await stopped();
    for (const byte of [0, 3, 7, 8, 11]) {
      const at = 5 * 20 + byte;
      const damaged = changed(image, QUEUE_FILE, (bytes) => bytes.writeUInt8(bytes[at]! ^ 2, at));
      const driver = await StoreDriver.open(OPTIONS, damaged);
      assert.deepEqual(driver.read(0).bodies, bodies.slice(0, 32), `byte ${byte}`);
      assert.deepEqual(driver.read(5, { matches: tagged }).bodies[0], bodies[5]);
      assert.equal(driver.store.status().integrity.wrongUnits, 1);
    }
  });

  it("is not asked again where checksums say that it is whole", async () => {
    const { image } = await stopped(40);
    const driver = await StoreDriver.open(OPTIONS, image);
    const { reads } = driver.host.files;
    const none = driver.read(0, { matches: () => false });
    assert.equal(none.result.messageCount, 0);
    assert.equal(
      driver.host.files.reads - reads,
      6,
      "two queue files, head and entries of their checksums, and no record",
    );
  });
});

describe("checksums of ConsumeQueues", () => {
  it("are made again by reading when they are missing, torn, or of another content", async () => {
    const { image, bodies } = await stopped();
    const whole = image.files.get(SUMS_FILE)!;
    const without = new Map(image.files);
    without.delete(SUMS_FILE);
    const images = [
      { files: without, folders: image.folders },
      changed(image, SUMS_FILE, (bytes) => bytes.writeUInt8(bytes[20]! ^ 4, 20)),
      changed(image, SUMS_FILE, (bytes) => bytes.fill(7)),
      changed(image, SUMS_FILE, (bytes) => bytes.fill(0, 10)),
    ];
    for (const one of images) {
      const driver = await StoreDriver.open(OPTIONS, one);
      assert.deepEqual(driver.bodies(), bodies);
      assert.deepEqual(driver.host.files.image().files.get(SUMS_FILE), whole);
      assert.deepEqual(driver.store.status().integrity, {
        corruptRecords: 0,
        lastCorruptOffset: -1,
        wrongUnits: 0,
        wrongIndexBlocks: 0,
        skippedRecords: 0,
      });
    }
  });

  it("hinder nothing when they cannot be written", async () => {
    const driver = await StoreDriver.open(OPTIONS);
    driver.host.files.fault = (what, path) =>
      path.includes("orbitmq-checksums/consumequeue") && what !== "read" ? "EIO" : undefined;
    for (let index = 0; index < 50; index += 1) driver.sendNow(message(`${index}`.padEnd(200, "x")));
    driver.host.advance(70_000);
    await driver.stop();
    assert.equal(driver.store.status().stoppedCleanly, true);
  });

  it("of a newer version are refused by name, and left alone", async () => {
    const { image } = await stopped();
    const path = `${HOME}/orbitmq-checksums/format`;
    const files = new Map(image.files).set(path, Buffer.from(formatText(2)));
    const driver = new StoreDriver(OPTIONS, { files, folders: image.folders });
    const error = await errorOf(driver.start());
    assert.ok(error instanceof StoreError);
    assert.equal(error.code, "VERSION");
    assert.ok(error.message.includes(path));
    assert.deepEqual(driver.host.files.image().files.get(path), Buffer.from(formatText(2)));
    const one = changed(image, SUMS_FILE, (bytes) => {
      bytes.writeUInt32BE(2, 4);
      bytes.writeUInt32BE(plainCrc32(bytes.subarray(0, 12)), 12);
    });
    const other = await StoreDriver.open(OPTIONS, one);
    for (let index = 0; index < 20; index += 1) other.sendNow(message(`${index}`.padEnd(200, "x")));
    other.host.advance(70_000);
    assert.equal(other.bodies().length, 70);
    assert.deepEqual(other.host.files.image().files.get(SUMS_FILE), one.files.get(SUMS_FILE));
  });
});

describe("a corrupt record", () => {
  it("holds its queue until it is skipped, while the store runs or before it starts", async () => {
    const { image, bodies } = await stopped();
    const at = image.files.get(LOG_FILE)!.indexOf("9/bbb");
    const damaged = changed(image, LOG_FILE, (bytes) => bytes.fill(0, at + 10, at + 12));
    const driver = await StoreDriver.open(OPTIONS, damaged);
    const held = driver.read(9);
    assert.deepEqual([held.result.status, held.result.nextBeginOffset], ["OFFSET_FOUND_NULL", 9]);
    assert.deepEqual(driver.bodies("T", 1), ["neighbour"]);
    const { corruptRecords, lastCorruptOffset } = driver.store.status().integrity;
    assert.equal(corruptRecords, 1);
    const list = new SkipList(driver.host, `${HOME}/orbitmq-skips.json`, { error() {}, warn() {} } as never);
    list.addSync({ offset: lastCorruptOffset, end: lastCorruptOffset + 1, reason: "bits", skippedMs: 1 });
    assert.deepEqual(driver.read(9).bodies[0], bodies[10]);
    assert.equal(driver.store.status().integrity.skippedRecords, 1);
    assert.deepEqual(driver.read(0).bodies.slice(0, 10), [...bodies.slice(0, 9), bodies[10]]);
    const again = await driver.killed(OPTIONS);
    assert.deepEqual(again.read(9).bodies[0], bodies[10]);
  });

  it("is read again, and served as soon as the disk gives it right", async () => {
    const { image, bodies } = await stopped();
    const at = image.files.get(LOG_FILE)!.indexOf("9/bbb");
    const driver = await StoreDriver.open(
      { ...OPTIONS, coldCacheBytes: 1024 * 1024 },
      changed(image, LOG_FILE, (bytes) => bytes.fill(0, at, at + 2)),
    );
    assert.equal(driver.read(9).result.status, "OFFSET_FOUND_NULL");
    driver.host.files.names.get(LOG_FILE)!.bytes.write("9/", at);
    assert.equal(driver.read(9).bodies[0], bodies[9]);
  });

  it("that a killed store meets at its start holds its own queue only, where it always was", async () => {
    const driver = await StoreDriver.open(OPTIONS);
    for (let index = 0; index < 30; index += 1) {
      driver.sendNow(message(`${index}/`.padEnd(200, "k"), { queueId: index % 2 }));
    }
    // The queues are on disk, the table that would spare the next start the reading is older.
    driver.host.advance(15_000);
    const image = driver.host.files.image();
    const files = new Map(image.files);
    for (const name of ["orbitmq-queues.json", "orbitmq-queues.json.bak"]) files.delete(`${HOME}/${name}`);
    for (const kept of [image, { files, folders: image.folders }]) {
      const at = kept.files.get(LOG_FILE)!.indexOf("10/kk");
      const damaged = changed(kept, LOG_FILE, (bytes) => bytes.fill(0, at, at + 2));
      const again = await StoreDriver.open(OPTIONS, damaged);
      assert.equal(again.store.readableEnd("T", 0), 15);
      assert.equal(again.bodies("T", 1).length, 15);
      assert.equal(again.read(0).bodies.length, 5);
      assert.equal(again.read(5).result.status, "OFFSET_FOUND_NULL");
      assert.equal(again.read(6).bodies.length, 9);
      assert.equal(again.sendNow(message("next")).queueOffset, 15);
    }
  });

  it("is not taken for a torn one by a store that was killed right after it was acknowledged", async () => {
    const driver = await StoreDriver.open(OPTIONS);
    const sent = Array.from({ length: 12 }, (_, index) => `${index}/`.padEnd(200, "k"));
    for (const body of sent) driver.sendNow(message(body));
    // No second has passed: neither mark nor queues were saved since the store was new.
    const image = driver.host.files.image();
    const log = image.files.get(LOG_FILE)!;
    for (const index of [0, 5, 11]) {
      const at = log.indexOf(`${index}/kk`);
      const damaged = changed(image, LOG_FILE, (bytes) => bytes.fill(0, at, at + 2));
      for (let start = 0; start < 2; start += 1) {
        await assert.rejects(StoreDriver.open(OPTIONS, damaged), { code: "DAMAGED" });
      }
    }
    assert.deepEqual((await StoreDriver.open(OPTIONS, image)).bodies(), sent);
  });

  it("is not skipped while it can be read", async () => {
    const { image, bodies } = await stopped();
    const position = 0;
    const text = JSON.stringify({
      version: 1,
      skipped: [{ offset: position, end: 91, reason: "", skippedMs: 1 }],
    });
    const files = new Map(image.files).set(`${HOME}/orbitmq-skips.json`, Buffer.from(text));
    const driver = await StoreDriver.open(OPTIONS, { files, folders: image.folders });
    assert.deepEqual(driver.bodies(), bodies);
  });

  it("does not lead a lookup by time past messages", async () => {
    const driver = await StoreDriver.open(OPTIONS);
    const times: number[] = [];
    for (let index = 0; index < 40; index += 1) {
      driver.sendNow(message(`${index}/`.padEnd(200, "t")));
      times.push(driver.host.wall);
      driver.host.advance(1000);
    }
    driver.host.advance(70_000);
    await driver.stop();
    const image = driver.host.files.image();
    for (let damagedAt = 0; damagedAt < 30; damagedAt += 1) {
      const at = image.files.get(LOG_FILE)!.indexOf(`${damagedAt}/ttt`);
      const damaged = await StoreDriver.open(
        OPTIONS,
        changed(image, LOG_FILE, (bytes) => bytes.fill(0, at, at + 2)),
      );
      for (const wanted of [0, 7, 19, 20, 29]) {
        let lower = -1;
        damaged.store.offsetByTime("T", 0, times[wanted]!, "lower", (offset) => {
          lower = offset;
        });
        damaged.host.settle();
        assert.ok(
          lower === wanted || (lower < wanted && lower >= damagedAt && damagedAt === wanted - 1),
          `${lower}, not ${wanted}, when ${damagedAt} is damaged`,
        );
      }
    }
  });

  it("is not given to followers of the log", async () => {
    const { image } = await stopped();
    const at = image.files.get(LOG_FILE)!.indexOf("3/bbb");
    const driver = await StoreDriver.open(
      OPTIONS,
      changed(image, LOG_FILE, (bytes) => bytes.fill(0, at, at + 2)),
    );
    const tail = driver.store.subscribeTail(0 as never, { logGrew() {}, logCut() {} });
    const seen: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      tail.next(4096, (error, chunk) => {
        seen.push(error?.code ?? `${chunk!.start}-${chunk!.end}`);
        chunk?.release();
      });
      driver.host.settle();
    }
    assert.match(seen.join(" "), /^0-\d+ EIO EIO$/);
    assert.equal(driver.store.status().integrity.corruptRecords, 1);
  });

  it("skipped by a newer version is refused by name", async () => {
    const { image } = await stopped();
    const text = Buffer.from(JSON.stringify({ version: 2, skipped: [] }));
    const files = new Map(image.files).set(`${HOME}/orbitmq-skips.json`, text);
    const driver = new StoreDriver(OPTIONS, { files, folders: image.folders });
    const error = await errorOf(driver.start());
    assert.ok(error instanceof StoreError && error.code === "VERSION");
    assert.deepEqual(driver.host.files.image().files.get(`${HOME}/orbitmq-skips.json`), text);
  });
});
