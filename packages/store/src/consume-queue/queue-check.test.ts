import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, Outcome, StoreDriver } from "../testing/store-driver.ts";

const QUEUES = 1300;
const OPTIONS = { mappedFileSizeCommitLog: 1024 * 1024, slabBytes: 64 * 1024, zeroChunkBytes: 64 * 1024 };
const nameOf = (queueId: number) => `${HOME}/consumequeue/T/${queueId}/00000000000000000000`;

/** Two messages in each of many queues, and the store stopped or killed when all is on disk. */
async function filled(stopped: boolean): Promise<DiskImage> {
  const driver = await StoreDriver.open(OPTIONS);
  for (let round = 0; round < 2; round += 1) {
    for (let queueId = 0; queueId < QUEUES; queueId += 1) {
      driver.store.append(message(`${round}`, { queueId }), "flushed", new Outcome());
      if (queueId % 100 === 0) driver.host.settle();
    }
  }
  driver.host.settle();
  if (stopped) await driver.stop();
  else driver.host.advance(30_000);
  return driver.host.files.image();
}

function without(image: DiskImage, matches: (path: string) => boolean): DiskImage {
  const files = new Map([...image.files].filter(([path]) => !matches(path)));
  return { files, folders: new Set([...image.folders].filter((folder) => !matches(folder))) };
}

describe("the start of a store with thousands of queues", () => {
  let stopped: DiskImage;
  let killed: DiskImage;

  before(async () => {
    stopped = await filled(true);
    killed = await filled(false);
  });

  const open = (image: DiskImage) => StoreDriver.open(OPTIONS, image);
  const operations = ({ host: { files } }: StoreDriver) => files.looks + files.reads;

  it("looks into a thousand of them at most, and at no more when there are more", async () => {
    for (const image of [stopped, killed]) {
      const driver = await open(image);
      // For each queue a stat, an open and a read of its file, and a read of the log; the index has files, too.
      assert.ok(operations(driver) < 6500, `${operations(driver)} operations`);
      assert.equal(driver.store.status().messageCount, 2 * QUEUES);
      assert.equal(driver.store.readableEnd("T", QUEUES - 1), 2);
    }
  });

  it("reads nothing of queues that changed since, but the log behind the table", async () => {
    const driver = await open(killed);
    for (let queueId = 1200; queueId < 1210; queueId += 1) driver.sendNow(message("new", { queueId }));
    const again = await driver.killed(OPTIONS);
    assert.ok(operations(again) < 6500, `${operations(again)} operations`);
    for (let queueId = 1200; queueId < 1210; queueId += 1) {
      assert.deepEqual(again.bodies("T", queueId), ["0", "1", "new"]);
    }
  });

  it("follows the table only while it goes with the mark; otherwise every queue is looked into", async () => {
    for (const name of ["orbitmq-mark", "orbitmq-queues.json"]) {
      const driver = await open(without(stopped, (path) => path.startsWith(`${HOME}/${name}`)));
      assert.ok(operations(driver) > 10 * QUEUES, `${operations(driver)} operations without ${name}`);
      assert.equal(driver.store.status().messageCount, 2 * QUEUES);
      const { names } = driver.host.files;
      assert.equal(names.has(`${HOME}/orbitmq-queues.json.bak`), false, "what it said is not said any more");
      assert.ok(operations(await driver.killed(OPTIONS)) < 6500, "the next start has a table again");
    }
    // A torn table has a backup, but what was cut off between the two is not known.
    const torn = {
      ...stopped,
      files: new Map(stopped.files).set(`${HOME}/orbitmq-queues.json`, Buffer.from("{")),
    };
    assert.ok(operations(await open(torn)) > 10 * QUEUES);
  });

  it("builds a topic again whose folder is gone, before anything is served", async () => {
    const driver = await open(without(stopped, (path) => path.startsWith(`${HOME}/consumequeue/T`)));
    for (const queueId of [0, 1034, QUEUES - 1]) assert.deepEqual(driver.bodies("T", queueId), ["0", "1"]);
    await driver.stop();
    // What was built is as good as what was there before.
    const again = await open(driver.host.files.image());
    assert.ok(operations(again) < 6500);
    assert.deepEqual(again.bodies("T", QUEUES - 1), ["0", "1"]);
  });

  it("finds a missing file that the start has not looked for when it is first read, and builds the queue again", async () => {
    const driver = await open(without(stopped, (path) => path === nameOf(1222)));
    const { result } = driver.read(0, { queueId: 1222 });
    assert.deepEqual([result.status, result.nextBeginOffset], ["OFFSET_FOUND_NULL", 0], "not skipped");
    await Promise.resolve();
    assert.deepEqual(driver.bodies("T", 1222), ["0", "1"]);
    assert.equal(driver.sendNow(message("2", { queueId: 1222 })).queueOffset, 2);
    assert.deepEqual(driver.bodies("T", 1222), ["0", "1", "2"]);
  });

  it("finds it, too, when the queue is first written to: no blank units take the place of messages", async () => {
    const driver = await open(without(stopped, (path) => path === nameOf(1222)));
    // Enough for a round at once, before anybody comes by to look.
    const long = Array.from({ length: 12 }, (_, index) => `${index + 2}`.padEnd(900, "w"));
    for (const body of long) driver.sendNow(message(body, { queueId: 1222 }));
    driver.host.advance(1);
    await Promise.resolve();
    const early = await driver.killed(OPTIONS);
    early.host.advance(5_000);
    assert.deepEqual(early.bodies("T", 1222), ["0", "1", ...long]);
    driver.host.advance(30_000);
    assert.deepEqual(driver.bodies("T", 1222), ["0", "1", ...long]);
    const again = await driver.killed(OPTIONS);
    assert.deepEqual(again.bodies("T", 1222), ["0", "1", ...long]);
    assert.equal(again.sendNow(message("next", { queueId: 1222 })).queueOffset, 2 + long.length);
  });

  it("finds it by itself in the seconds after the start, and says which queues it built again", async () => {
    const said: { count?: number; queues?: string[] }[] = [];
    const none = () => {};
    const warn = (bindings: object) => said.push(bindings);
    const logger = { trace: none, debug: none, info: none, warn, error: none, fatal: none };
    const gone = [nameOf(1177), nameOf(1222)];
    const image = without(stopped, (path) => gone.includes(path));
    const driver = await StoreDriver.open(OPTIONS, image, logger as never);
    assert.deepEqual(said, []);
    driver.host.advance(5_000);
    await Promise.resolve();
    assert.deepEqual(
      said.flatMap(({ queues }) => queues ?? []),
      ["T/1177", "T/1222"],
      "together: the log is read once",
    );
    assert.equal(said.length, 1);
    assert.deepEqual(driver.bodies("T", 1177), ["0", "1"]);
    const { looks } = driver.host.files;
    driver.host.advance(60_000);
    assert.ok(driver.host.files.looks - looks < 10, "nobody goes on looking");
    assert.equal(driver.host.armed, 0);
  });

  it("finds units that are garbage, and a file that was cut off", async () => {
    for (const bytes of [Buffer.alloc(400, 7), Buffer.alloc(400), Buffer.alloc(20)]) {
      const image = {
        ...stopped,
        files: new Map(stopped.files).set(nameOf(1222), bytes).set(nameOf(5), bytes),
      };
      const driver = await open(image);
      driver.host.advance(5_000);
      assert.deepEqual(driver.bodies("T", 5), ["0", "1"]);
      assert.deepEqual(driver.bodies("T", 1222), ["0", "1"]);
    }
  });

  it("holds a queue whose log cannot be read, and nobody else", async () => {
    const log = `${HOME}/commitlog/00000000000000000000`;
    const bytes = Buffer.from(stopped.files.get(log)!);
    // The second message of another queue, which lies before the second of this one.
    const key = bytes.lastIndexOf(Buffer.from("key-1"), bytes.lastIndexOf(Buffer.from("key-1")) - 40_000);
    bytes[key + 4] = 0x58;
    const files = new Map(stopped.files).set(log, bytes);
    files.delete(nameOf(1222));
    const driver = await open({ files, folders: stopped.folders });
    driver.read(0, { queueId: 1222 });
    await Promise.resolve();
    driver.host.settle();
    assert.equal(driver.store.status().state, "running");
    assert.deepEqual(driver.read(0, { queueId: 1222 }).bodies, ["0"]);
    const { result } = driver.read(1, { queueId: 1222 });
    assert.deepEqual([result.status, result.nextBeginOffset], ["OFFSET_FOUND_NULL", 1]);
    assert.deepEqual(driver.bodies("T", 1223), ["0", "1"]);
    assert.equal(driver.sendNow(message("2", { queueId: 1222 })).queueOffset, 2);
  });

  it("finishes what it was building when it was stopped amid it", async () => {
    const driver = await open(without(stopped, (path) => path === nameOf(1222)));
    driver.host.files.fault = (what, path) =>
      what === "sync" && path.includes("/T/1222") ? "EIO" : undefined;
    driver.read(0, { queueId: 1222 });
    driver.host.settle();
    assert.equal(driver.store.status().state, "failed");
    const table = driver.host.files.image().files.get(`${HOME}/orbitmq-queues.json`)!.toString();
    assert.match(table, /\["T",1222,0,\d,1\]/, "it is on disk that the queue is being built");
    // What was written of it, and never synced, is half of it.
    const half = driver.host.files.image();
    (half.files as Map<string, Buffer>).set(nameOf(1222), Buffer.alloc(400));
    const again = await open(half);
    assert.deepEqual(again.bodies("T", 1222), ["0", "1"]);
  });
});

describe("thousands of queues", () => {
  it("are written and read with a bounded number of open files", async () => {
    const options = { ...OPTIONS, openFilesMax: 32, hotTailBytes: 64 * 1024 };
    const driver = await StoreDriver.open(options);
    for (let round = 0; round < 2; round += 1) {
      for (let queueId = 0; queueId < QUEUES; queueId += 1) {
        driver.store.append(message(`${round}`, { queueId }), "flushed", new Outcome());
        if (queueId % 100 === 0) driver.host.settle();
      }
      driver.host.advance(30_000);
    }
    for (let queueId = 0; queueId < QUEUES; queueId += 7) {
      assert.deepEqual(driver.bodies("T", queueId), ["0", "1"]);
    }
    const { open } = driver.host.files;
    // Besides the cached ones: the segments being written, mark, checkpoint, a state file being saved.
    assert.ok(open.most <= 32 + 12, `${open.most} files were open at once`);
    await driver.stop();
    assert.equal(open.now, 0);
  });
});

describe("a truncation", () => {
  it("looks into the queues that have changed only", async () => {
    const driver = await StoreDriver.open(OPTIONS, await filled(true));
    const { result } = driver.send(message("stays", { queueId: 7 }));
    driver.sendNow(message("goes", { queueId: 8 }));
    driver.host.advance(5_000);
    const { files } = driver.host;
    const before = files.looks + files.reads;
    const cut = driver.store.truncateTo((result.physicalOffset + result.byteCount) as never);
    driver.host.settle();
    await cut;
    assert.ok(files.looks + files.reads - before < 100, `${files.looks + files.reads - before} operations`);
    assert.deepEqual(driver.bodies("T", 7), ["0", "1", "stays"]);
    assert.deepEqual(driver.bodies("T", 8), ["0", "1"]);
    assert.equal(driver.store.readableEnd("T", 1240), 2);
  });
});
