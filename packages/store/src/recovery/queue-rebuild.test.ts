/** Queues built again from a log that takes many slices to read. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { physicalOffset } from "@orbitmq/host";
import { StoreError } from "../store-error.ts";
import { seededRandom } from "../testing/crash-model.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, Outcome, StoreDriver } from "../testing/store-driver.ts";

const OPTIONS = {
  mappedFileSizeCommitLog: 1024 * 1024,
  mappedFileSizeConsumeQueue: 1_000,
  maxMessageSize: 64 * 1024,
  coldBlockBytes: 64 * 1024,
  coldCacheBytes: 1024 * 1024,
  slabBytes: 64 * 1024,
  zeroChunkBytes: 64 * 1024,
};
/** So many that a start looks at them, and at none behind them. */
const OTHERS = 1000;
const MESSAGES = 160;
const BODY = "b".repeat(35_000);
/** Turns in which a crash is tried, of all there are. */
const CRASHES = 2;
/** Most of the log: about 5.6 MiB, half of it of each of two queues. */
const isOfQueue = (path: string) => path.startsWith(`${HOME}/consumequeue/T/1/`);
const bodiesOf = (queueId: number, count = MESSAGES) =>
  Array.from({ length: count }, (_, index) => `${index} ${BODY}`).filter((_, index) => index % 2 === queueId);

async function filled(others: number): Promise<DiskImage> {
  const driver = await StoreDriver.open(OPTIONS);
  for (let queueId = 0; queueId < others; queueId += 1) {
    driver.store.append(message("", { topic: "Others", queueId }), "flushed", new Outcome());
    if (queueId % 100 === 0) driver.host.settle();
  }
  for (let index = 0; index < MESSAGES; index += 1) {
    driver.store.append(message(`${index} ${BODY}`, { queueId: index % 2 }), "flushed", new Outcome());
    if (index % 5 === 0) driver.host.settle();
  }
  driver.host.settle();
  await driver.stop();
  return driver.host.files.image();
}

/** Without the files of queue 1, which a start that follows the queue table does not look for. */
function damaged(image: DiskImage): DiskImage {
  const files = new Map(image.files);
  for (const path of files.keys()) if (isOfQueue(path)) files.delete(path);
  return { ...image, files };
}

/** Nor is there a table that it could follow: it has all queues to look into, and this one to build. */
function noticed(image: DiskImage): DiskImage {
  const { files, folders } = damaged(image);
  const table = `${HOME}/orbitmq-queues.json`;
  const renamed = new Map(files).set(`${table}.bak`, files.get(table)!);
  renamed.delete(table);
  return { files: renamed, folders };
}

/** Some of the numbers below `end`, the same ones in every run; always the last. */
function some(end: number, seed: number): number[] {
  const random = seededRandom(seed);
  const picked = new Set([end - 1]);
  while (picked.size < Math.min(CRASHES, end)) picked.add(Math.floor(random() * end));
  return [...picked].sort((a, b) => a - b);
}

/** Turns until `isSo`. */
async function turnsUntil(driver: StoreDriver, isSo: () => boolean): Promise<number> {
  for (let turns = 0; ; turns += 1) {
    for (let tick = 0; tick < 5; tick += 1) await Promise.resolve();
    if (isSo()) return turns;
    assert.ok(driver.host.turn() && turns < 10_000, "it comes to pass");
  }
}

describe("queues built again from a long log", () => {
  let image: DiskImage;
  /** Without the other queues, which a start without a table would look into. */
  let bare: DiskImage;

  before(async () => {
    image = await filled(OTHERS);
    bare = await filled(0);
  });

  /** Open, and building queue 1, which the first look after the start has found damaged. */
  async function building(): Promise<StoreDriver> {
    const driver = new StoreDriver(OPTIONS, damaged(image));
    let isOpen = false;
    const started = driver.store.start().then(() => {
      isOpen = true;
    });
    await turnsUntil(driver, () => isOpen);
    await started;
    await turnsUntil(driver, () => refusalOf(driver) === "BUSY");
    return driver;
  }

  const refusalOf = ({ store }: StoreDriver) => store.status().refusal?.reason;

  it("leave the server time to answer: others are served, and this one says that it cannot be read yet", async () => {
    const driver = await building();
    const { store } = driver;
    const answers: string[] = [];
    const turns = await turnsUntil(driver, () => {
      for (const queueId of [0, 1]) {
        const request = { topic: "T", queueId, offset: 3, messagesMax: 1, bytesMax: 262_144 };
        store.get(request, (result) => {
          if (refusalOf(driver) === "BUSY")
            answers.push(`${queueId} ${result.status} ${result.nextBeginOffset}`);
          result.release();
        });
      }
      assert.deepEqual([store.minOffset("T", 1), store.readableEnd("T", 1)], [0, MESSAGES / 2]);
      return refusalOf(driver) !== "BUSY";
    });
    assert.ok(turns >= 5, `${turns} turns`);
    assert.deepEqual([...new Set(answers)].sort(), ["0 FOUND 4", "1 OFFSET_FOUND_NULL 3"]);
    await Promise.resolve();
    assert.deepEqual(driver.bodies("T", 1), bodiesOf(1));
    assert.equal(driver.sendNow(message("next", { queueId: 1 })).queueOffset, MESSAGES / 2);
    driver.host.advance(30_000);
    const again = await driver.killed(OPTIONS);
    assert.deepEqual(again.bodies("T", 1), [...bodiesOf(1), "next"]);
  });

  it("are left to the next start when the store is stopped meanwhile, which is in order all the same", async () => {
    const driver = await building();
    for (let turns = 0; turns < 3; turns += 1) driver.host.turn();
    await driver.stop();
    assert.equal(driver.store.status().stoppedCleanly, true);
    assert.equal(driver.host.files.open.now, 0);
    const again = await StoreDriver.open(OPTIONS, driver.host.files);
    assert.deepEqual(again.bodies("T", 1), bodiesOf(1));
    assert.deepEqual(again.bodies("T", 0), bodiesOf(0));
  });

  it("are not cut meanwhile: a truncation is refused, and done when it is asked for afterwards", async () => {
    const driver = await building();
    const { readableLimit } = driver.store.status();
    await assert.rejects(driver.store.truncateTo(readableLimit), { code: "STATE" });
    await turnsUntil(driver, () => refusalOf(driver) !== "BUSY");
    for (let tick = 0; tick < 5; tick += 1) await Promise.resolve();
    const { result } = driver.send(message("goes", { queueId: 1 }));
    driver.host.settle();
    const cut = driver.store.truncateTo(physicalOffset(result.physicalOffset));
    driver.host.settle();
    await cut;
    assert.deepEqual(driver.bodies("T", 1), bodiesOf(1));
  });

  it("are whole after a crash at any turn", async () => {
    const driver = await building();
    const images: DiskImage[] = [];
    await turnsUntil(driver, () => {
      images.push(driver.host.files.image());
      return images.length > 3 && refusalOf(driver) !== "BUSY";
    });
    assert.ok(images.length >= 6, `${images.length} turns`);
    for (const turn of some(images.length, 1)) {
      const again = await StoreDriver.open(OPTIONS, images[turn]);
      again.host.advance(1_000);
      for (let tick = 0; tick < 5; tick += 1) await Promise.resolve();
      again.host.settle();
      assert.equal(again.bodies("T", 1).length, MESSAGES / 2, `killed in turn ${turn}`);
    }
  });

  it("let signals be heard meanwhile at a start, which can be stopped and begun again", async () => {
    const driver = new StoreDriver(OPTIONS, noticed(bare));
    let refused: unknown;
    let isOver = false;
    const started = driver.store.start().then(
      () => assert.fail("it was stopped"),
      (error: unknown) => {
        refused = error;
      },
    );
    for (let turns = 0; turns < 3; turns += 1) assert.ok(driver.host.turn(), "it takes several turns");
    const stopped = driver.store.stop().then(() => {
      isOver = true;
    });
    await Promise.all([started, stopped]);
    assert.ok(isOver && refused instanceof StoreError && refused.code === "STATE");
    assert.equal(driver.host.files.open.now, 0, "nothing is left open");
    // The lock is free, and half a queue does not pass for a whole one.
    const again = await StoreDriver.open(OPTIONS, driver.host.files);
    assert.deepEqual(again.bodies("T", 1), bodiesOf(1));
    assert.deepEqual(again.bodies("T", 0), bodiesOf(0));
  });

  it("are whole after a crash at any turn of the start", async () => {
    const driver = new StoreDriver(OPTIONS, noticed(bare));
    let isOpen = false;
    const started = driver.store.start().then(() => {
      isOpen = true;
    });
    const images: DiskImage[] = [];
    await turnsUntil(driver, () => {
      images.push(driver.host.files.image());
      return isOpen;
    });
    await started;
    assert.ok(images.length > 4, `${images.length} turns`);
    for (const turn of some(images.length, 2)) {
      const again = await StoreDriver.open(OPTIONS, images[turn]);
      assert.equal(again.bodies("T", 1).length, MESSAGES / 2, `killed after ${turn} turns`);
      assert.equal(again.sendNow(message("next", { queueId: 1 })).queueOffset, MESSAGES / 2);
    }
  });

  it("are whole after a disk that failed, or a stop, amid the start", async () => {
    for (const how of ["fails", "stops"] as const) {
      for (const turns of [1, 4]) {
        const driver = new StoreDriver(OPTIONS, noticed(bare));
        const { files } = driver.host;
        const refusal = driver.store.start().then(
          () => "",
          ({ code }: StoreError) => code,
        );
        for (let turn = 0; turn < turns; turn += 1) driver.host.turn();
        if (how === "fails")
          files.fault = (what) => (what === "write" || what === "sync" ? "EIO" : undefined);
        const stopped = how === "stops" ? driver.stop() : undefined;
        driver.host.settle();
        assert.equal(await refusal, how === "fails" ? "IO" : "STATE", `${how} after ${turns} turns`);
        await stopped;
        assert.equal(files.open.now, 0, "nothing is left open");
        files.fault = () => undefined;
        const again = how === "stops" ? new StoreDriver(OPTIONS, files) : driver;
        await again.start();
        assert.equal(again.bodies("T", 1).length, MESSAGES / 2);
        assert.equal(again.bodies("T", 0).length, MESSAGES / 2);
        await again.stop();
        assert.equal(again.store.status().stoppedCleanly, true);
      }
    }
  });

  it("say how far that has come", async () => {
    const said: string[] = [];
    const none = () => {};
    const info = (bindings: { percent?: number }, text: string) => {
      if (bindings.percent !== undefined) said.push(text);
    };
    const logger = { trace: none, debug: none, info, warn: none, error: none, fatal: none };
    const driver = new StoreDriver(OPTIONS, noticed(bare), logger as never);
    let nowMs = 0;
    (driver.host.clock as { monotonicMs(): number }).monotonicMs = () => (nowMs += 2_000);
    await driver.start();
    assert.ok(said.length > 0 && said.every((text) => text === "ConsumeQueues are built again"), `${said}`);
  });
});
