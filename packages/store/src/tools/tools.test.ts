import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "@orbitmq/host";
import { StoreError, type StoreErrorCode } from "../store-error.ts";
import { offsetName } from "../store-paths.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { FakeHost, finish } from "../testing/fake-host.ts";
import { HOME, message, SMALL, StoreDriver } from "../testing/store-driver.ts";
import { backupStore } from "./backup-store.ts";
import { type DumpedRecord, dumpStore } from "./dump-store.ts";
import { rebuildIndex, rebuildQueues } from "./rebuild-derived.ts";
import { skipRecord } from "./skip-record.ts";
import { statStore } from "./stat-store.ts";
import { verifyStore } from "./verify-store.ts";

const OPTIONS = { home: HOME };
const LOG_FILE = `${HOME}/commitlog/00000000000000000000`;
const QUEUE_FILE = `${HOME}/consumequeue/T/0/00000000000000000000`;

/** A running store of some segments; a queue each for even and odd messages. */
async function running(count = 80): Promise<StoreDriver> {
  const driver = await StoreDriver.open();
  await more(driver, 0, count);
  return driver;
}

async function more(driver: StoreDriver, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1) {
    driver.sendNow(message(`${index}/`.padEnd(400, "m"), { queueId: index % 2 }));
    driver.host.advance(100);
  }
  driver.host.advance(30_000);
}

async function stopped(count = 80): Promise<DiskImage> {
  const driver = await running(count);
  await driver.stop();
  return driver.host.files.image();
}

function hostOf(image: DiskImage): FakeHost {
  return new FakeHost(image);
}

function flipped(image: DiskImage, path: string, at: number, mask = 1): DiskImage {
  const bytes = Buffer.from(image.files.get(path)!);
  bytes[at] = bytes[at]! ^ mask;
  return { files: new Map(image.files).set(path, bytes), folders: image.folders };
}

function codeOf(run: () => unknown): StoreErrorCode | undefined {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    return error.code;
  }
  return undefined;
}

describe("verify", () => {
  it("finds nothing wrong with a stopped store, or with a running one up to its marks, and changes nothing", async () => {
    const driver = await running();
    const before = driver.host.files.operations.length;
    for (const isRunning of [true, false]) {
      if (!isRunning) await driver.stop();
      let told = 0;
      const report = verifyStore(driver.host.files, OPTIONS, (done) => {
        told = done;
      });
      assert.deepEqual(report.findings, []);
      assert.deepEqual([report.records, report.units, report.queues], [80, 80, 2]);
      assert.equal(told, report.logBytes);
      if (isRunning) assert.equal(driver.host.files.operations.length, before);
    }
  });

  it("names file, byte, offset, topic and queue of a damaged record and goes on behind it", async () => {
    const image = await stopped();
    const at = image.files.get(LOG_FILE)!.indexOf("5/mmm");
    const { records, findings } = verifyStore(hostOf(flipped(image, LOG_FILE, at)).files, OPTIONS);
    assert.equal(records, 79);
    assert.equal(findings.length, 1);
    const [found] = findings;
    assert.deepEqual(
      [found!.kind, found!.file, found!.topic, found!.queueId, found!.queueOffset],
      ["record", LOG_FILE, "T", 1, 2],
    );
    assert.equal(found!.offset, found!.byte);
  });

  it("finds the next record where a size has flipped", async () => {
    const image = await stopped();
    const { physicalOffset } = [...dumpStore(hostOf(image).files, OPTIONS)][7]!;
    for (const byte of [0, 1, 2, 3, 5]) {
      const damaged = flipped(image, LOG_FILE, physicalOffset + byte, 4);
      const { records, findings } = verifyStore(hostOf(damaged).files, OPTIONS);
      assert.deepEqual(
        [records, findings.length, findings[0]!.offset],
        [79, 1, physicalOffset],
        `byte ${byte}`,
      );
    }
  });

  it("does not take a record within a damaged record's body for the next one", async () => {
    const driver = await running(4);
    const [, second] = [...dumpStore(driver.host.files, OPTIONS)] as DumpedRecord[];
    await driver.stop();
    const image = driver.host.files.image();
    const log = image.files.get(LOG_FILE)!;
    const end = driver.store.status().flushedOffset;
    // A body that holds a copy of an older record, made to fit its place.
    const inner = Buffer.from(log.subarray(second!.physicalOffset, second!.physicalOffset + second!.size));
    const again = await StoreDriver.open({}, image);
    const { result } = again.send(message("outer".padEnd(700, "o")));
    again.host.settle();
    const bodyAt = again.host.files.image().files.get(LOG_FILE)!.indexOf("outer");
    assert.ok(bodyAt > end && result.physicalOffset === end);
    const other = await StoreDriver.open({}, image);
    inner.writeUInt32BE(0, 28);
    inner.writeUInt32BE(bodyAt, 32);
    other.sendNow(message("x", { body: Buffer.concat([inner, Buffer.alloc(700 - inner.length)]) }));
    other.sendNow(message("last"));
    await other.stop();
    const damaged = flipped(other.host.files.image(), LOG_FILE, end + 3);
    const { findings, records } = verifyStore(hostOf(damaged).files, OPTIONS);
    assert.deepEqual([findings.length, records], [1, 5]);
  });

  it("finds units and checksums that are not what they were", async () => {
    const image = await stopped();
    const tags = verifyStore(hostOf(flipped(image, QUEUE_FILE, 3 * 20 + 19)).files, OPTIONS);
    assert.deepEqual(
      tags.findings.map(({ kind, queueId, byte }) => [kind, queueId, byte]),
      [
        ["unit", 0, 60],
        ["checksum", 0, 0],
      ],
    );
    const added = verifyStore(
      hostOf(flipped(image, `${HOME}/consumequeue/T/1/00000000000000000400`, 20 * 20 - 1, 0)).files,
      OPTIONS,
    );
    assert.deepEqual(added.findings, []);
  });

  it("finds items and slots of IndexFiles that lead elsewhere", async () => {
    const image = await stopped();
    const path = [...image.files.keys()].filter((name) => name.startsWith(`${HOME}/index/`)).sort()[0]!;
    const { slots } = { slots: SMALL.maxHashSlotNum! };
    const item = 40 + 4 * slots + 20 * 3;
    let hash = 40;
    while (image.files.get(path)!.readInt32BE(hash) === 0) hash += 4;
    for (const at of [item + 2, item + 7, item + 9, item + 19, hash + 3]) {
      const { findings } = verifyStore(hostOf(flipped(image, path, at)).files, OPTIONS);
      assert.ok(findings.length > 0 && findings.every(({ kind }) => kind === "index"), `byte ${at}`);
      assert.equal(findings[0]!.file, path);
    }
  });

  it("says so when there is no store", () => {
    assert.equal(
      codeOf(() => verifyStore(new FakeHost().files, OPTIONS)),
      "NO_STORE",
    );
  });
});

describe("dump", () => {
  it("gives records in the order of the log, filtered by topic, queue, offset, place and time", async () => {
    const image = await stopped();
    const { files } = hostOf(image);
    const all = [...dumpStore(files, OPTIONS)] as DumpedRecord[];
    assert.equal(all.length, 80);
    const sixth = all[6]!;
    assert.deepEqual(
      [sixth.topic, sixth.queueId, sixth.queueOffset, sixth.body?.slice(0, 3), sixth.properties["TAGS"]],
      ["T", 0, 3, "6/m", "tag"],
    );
    assert.deepEqual([sixth.bornHost, sixth.kind], ["127.0.0.1:10911", "record"]);
    const count = (filter: object) => [...dumpStore(files, OPTIONS, filter)].length;
    assert.equal(count({ topic: "U" }), 0);
    assert.equal(count({ topic: "T", queueId: 1 }), 40);
    assert.equal(count({ queueId: 1, fromOffset: 3, toOffset: 5 }), 2);
    assert.equal(count({ fromPosition: all[50]!.physicalOffset }), 30);
    assert.equal(count({ fromPosition: all[50]!.physicalOffset, toPosition: all[60]!.physicalOffset }), 10);
    assert.equal(count({ fromTimestamp: all[70]!.storeTimestamp }), 10);
    assert.equal(count({ toTimestamp: all[70]!.storeTimestamp }), 70);
  });

  it("shows damaged places, and bodies that are no text in base64", async () => {
    const driver = await StoreDriver.open();
    driver.sendNow(message("x", { body: Uint8Array.of(0xff, 0xfe, 0) }));
    driver.sendNow(message("damaged"));
    driver.sendNow(message("last"));
    await driver.stop();
    const image = driver.host.files.image();
    const at = image.files.get(LOG_FILE)!.indexOf("damaged");
    const dumped = [...dumpStore(hostOf(flipped(image, LOG_FILE, at)).files, OPTIONS)];
    assert.deepEqual(
      dumped.map(({ kind }) => kind),
      ["record", "damage", "record"],
    );
    assert.equal((dumped[0] as DumpedRecord).bodyBase64, "//4A");
  });
});

describe("stat", () => {
  it("tells state, bounds and queues without reading the log", async () => {
    const driver = await running();
    const open = statStore(driver.host, OPTIONS, silentLogger);
    assert.deepEqual([open.state, open.messages, open.queues.length], ["open", 80, 2]);
    await driver.stop();
    const { state, queues, segments, flushedOffset } = statStore(driver.host, OPTIONS, silentLogger);
    assert.equal(state, "stopped");
    assert.equal(flushedOffset, driver.store.status().flushedOffset);
    assert.ok(segments > 2);
    assert.deepEqual(queues[1], { topic: "T", queueId: 1, minOffset: 0, maxOffset: 40 });
  });
});

describe("skip", () => {
  it("gives up only what cannot be read, and a stopped store then starts and serves the rest", async () => {
    const driver = await running();
    const killed = driver.host.files.image();
    const { physicalOffset, size } = [...dumpStore(hostOf(killed).files, OPTIONS)][79] as DumpedRecord;
    const start = physicalOffset - (physicalOffset % SMALL.mappedFileSizeCommitLog!);
    const last = `${HOME}/commitlog/${offsetName(start)}`;
    const within = physicalOffset % SMALL.mappedFileSizeCommitLog!;
    const damaged = flipped(killed, last, within + 100);
    const host = hostOf(damaged);
    assert.equal(
      codeOf(() => skipRecord(host, OPTIONS, 0, silentLogger)),
      "ILLEGAL_OPTION",
      "it can be read",
    );
    assert.equal(
      codeOf(() => skipRecord(host, OPTIONS, physicalOffset + 5, silentLogger)),
      "ILLEGAL_OPTION",
    );
    assert.equal(
      codeOf(() => skipRecord(host, OPTIONS, -1, silentLogger)),
      "ILLEGAL_OPTION",
    );
    const entry = skipRecord(host, OPTIONS, physicalOffset, silentLogger);
    assert.deepEqual(
      [entry.offset, entry.end, entry.topic, entry.queueId, entry.queueOffset],
      [physicalOffset, physicalOffset + size, "T", 1, 39],
    );
    const image = host.files.image();
    const withoutQueues = new Map(
      [...image.files].filter(([path]) => !path.startsWith(`${HOME}/consumequeue/`)),
    );
    for (const files of [image.files, withoutQueues]) {
      const again = await StoreDriver.open({}, { files, folders: image.folders });
      assert.equal(again.store.readableEnd("T", 1), 40, "its queue offset is not given away again");
      assert.equal(again.readAll("T", 0).length, 40);
      const { queueOffset } = again.sendNow(message("next", { queueId: 1 }));
      assert.equal(queueOffset, 40);
      const { bodies } = again.read(39, { queueId: 1 });
      assert.deepEqual(bodies, ["next"]);
    }
  });
});

describe("skip, while the store runs,", () => {
  it("is told to those who wait at the record within a second, and nothing is looked at otherwise", async () => {
    const first = await running();
    await first.stop();
    const image = first.host.files.image();
    const { physicalOffset } = [...dumpStore(hostOf(image).files, OPTIONS)][41] as DumpedRecord;
    const start = physicalOffset - (physicalOffset % SMALL.mappedFileSizeCommitLog!);
    const damaged = flipped(
      image,
      `${HOME}/commitlog/${offsetName(start)}`,
      (physicalOffset % SMALL.mappedFileSizeCommitLog!) + 100,
    );
    const driver = await StoreDriver.open({ hotTailBytes: 4096 }, damaged);
    const released: string[] = [];
    driver.store.subscribeArrivals({
      messageArrived: () => undefined,
      queueReleased: (topic, queueId) => void released.push(`${topic}/${queueId}`),
    });
    driver.host.advance(300_000);
    const idle = driver.host.armed;
    assert.equal(driver.read(20, { queueId: 1 }).result.status, "OFFSET_FOUND_NULL");
    assert.equal(driver.host.armed, idle + 1, "it watches");
    driver.host.advance(3_000);
    assert.deepEqual(released, []);
    skipRecord(driver.host, OPTIONS, physicalOffset, silentLogger);
    driver.host.advance(1_000);
    assert.deepEqual(released, ["T/1"]);
    assert.equal(driver.host.armed, idle, "it watches no more");
    assert.notEqual(driver.read(20, { queueId: 1 }).records.length, 0);
  });
});

describe("rebuild-queues", () => {
  it("makes every queue again from the log, damaged ones too, and refuses a store in use", async () => {
    const driver = await running();
    const { host } = driver;
    await assert.rejects(finish(host, rebuildQueues(host, { ...SMALL, ...OPTIONS }, silentLogger)), {
      code: "LOCKED",
    });
    await driver.stop();
    const image = driver.host.files.image();
    const damaged = hostOf(flipped(flipped(image, QUEUE_FILE, 7), QUEUE_FILE, 391));
    assert.equal(verifyStore(damaged.files, OPTIONS).findings.length, 3);
    const rebuilt = await finish(damaged, rebuildQueues(damaged, { ...SMALL, ...OPTIONS }, silentLogger));
    assert.deepEqual(rebuilt, { messages: 80, queues: 2 });
    assert.deepEqual(verifyStore(damaged.files, OPTIONS).findings, []);
    assert.deepEqual(damaged.files.image().files.get(QUEUE_FILE), image.files.get(QUEUE_FILE));
  });
});

describe("rebuild-index", () => {
  it("makes the IndexFiles again from the log", async () => {
    const image = await stopped();
    const index = [...image.files.keys()].filter((path) => path.startsWith(`${HOME}/index/`)).sort();
    assert.ok(index.length > 0);
    const damaged = hostOf(flipped(image, index[0]!, 50, 0xff));
    await finish(damaged, rebuildIndex(damaged, { ...SMALL, ...OPTIONS }, silentLogger));
    const made = damaged.files.image().files;
    const again = [...made.keys()].filter((path) => path.startsWith(`${HOME}/index/`)).sort();
    assert.deepEqual(
      again.map((path) => made.get(path)),
      index.map((path) => image.files.get(path)),
    );
  });
});

describe("backup", () => {
  const COPY = "/backup/copy";

  function withConfig(driver: StoreDriver, text: string): void {
    const file = driver.host.files.openSync(`${HOME}/config/consumerOffset.json`, { create: true });
    file.truncateSync(0);
    file.writeSync(Buffer.from(text), 0);
  }

  /** The copy as a store of its own. */
  async function restored(driver: StoreDriver): Promise<StoreDriver> {
    const image = driver.host.files.image();
    const files = new Map(
      [...image.files]
        .filter(([path]) => path.startsWith(COPY))
        .map(([path, bytes]) => [HOME + path.slice(COPY.length), bytes]),
    );
    const folders = new Set([...image.folders].filter((path) => path.startsWith("/data")));
    return StoreDriver.open({}, { files, folders: new Set([...folders, `${HOME}/config`]) });
  }

  it("of a running store opens with everything up to its mark, and copies full segments once", async () => {
    const driver = await running();
    driver.host.files.makeFolderSync("/backup");
    withConfig(driver, '{"offsetTable":{"T@g":{"0":40}}}');
    const first = backupStore(driver.host, OPTIONS, COPY);
    assert.equal(first.records, 80);
    assert.equal(first.end, driver.store.status().flushedOffset);
    assert.deepEqual((await restored(driver)).bodies("T", 1), driver.bodies("T", 1));
    await more(driver, 80, 120);
    withConfig(driver, '{"offsetTable":{"T@g":{"0":60}}}');
    const second = backupStore(driver.host, OPTIONS, COPY);
    assert.ok(second.keptBytes >= 2 * SMALL.mappedFileSizeCommitLog! && second.copiedBytes > 0);
    assert.equal(second.end, driver.store.status().flushedOffset);
    const copy = await restored(driver);
    assert.deepEqual(copy.bodies("T", 0), driver.bodies("T", 0));
    const config = copy.host.files.image().files.get(`${HOME}/config/consumerOffset.json`);
    assert.equal(config?.toString(), '{"offsetTable":{"T@g":{"0":60}}}');
    copy.sendNow(message("goes on"));
  });

  it("begins again when the store deletes its oldest segment meanwhile", async () => {
    const driver = await running();
    const { files } = driver.host;
    const remove = () => {
      files.fault = (what, path) => {
        if (what === "create" && path.includes("/copy/")) files.unlinkSync(LOG_FILE);
        return undefined;
      };
    };
    remove();
    const report = backupStore(driver.host, OPTIONS, COPY);
    assert.equal(report.minOffset, SMALL.mappedFileSizeCommitLog);
    assert.ok(report.records > 40 && report.damages.length === 0);
  });

  it("broken off at any moment opens with what the one before it held, and offsets that are not ahead of the log", async () => {
    const driver = await running(40);
    driver.host.files.makeFolderSync("/backup");
    withConfig(driver, "before");
    backupStore(driver.host, OPTIONS, COPY);
    await more(driver, 40, 80);
    withConfig(driver, "after");
    const start = driver.host.files.image();
    for (let breakAt = 1; ; breakAt += 1) {
      const host = new FakeHost(start);
      let writes = 0;
      host.files.fault = (what) => {
        if (what !== "write" && what !== "create") return undefined;
        writes += 1;
        return writes >= breakAt ? "EIO" : undefined;
      };
      let isWhole = false;
      try {
        backupStore(host, OPTIONS, COPY);
        isWhole = true;
      } catch (error) {
        assert.equal((error as { code?: string }).code, "EIO");
      }
      const copy = await restored({ host } as StoreDriver);
      const count = copy.store.status().messageCount;
      const config = copy.host.files.image().files.get(`${HOME}/config/consumerOffset.json`)?.toString();
      assert.ok(count >= 40, `broken off at write ${breakAt}`);
      if (config === "after") assert.equal(count, 80);
      if (isWhole) break;
      host.files.fault = () => undefined;
      assert.equal(backupStore(host, OPTIONS, COPY).end, driver.store.status().flushedOffset);
    }
  });

  it("says what it could not read, and the copy refuses to start as the store would", async () => {
    const image = await stopped();
    const at = image.files.get(LOG_FILE)!.indexOf("5/mmm");
    const host = hostOf(flipped(image, LOG_FILE, at));
    const report = backupStore(host, OPTIONS, COPY);
    assert.deepEqual([report.records, report.damages.length], [79, 1]);
    await assert.rejects(restored({ host } as StoreDriver), { code: "DAMAGED" });
  });

  it("refuses a folder that is no backup, one of another store, and one of a newer version", async () => {
    const driver = await running();
    assert.equal(
      codeOf(() => backupStore(driver.host, OPTIONS, HOME)),
      "ILLEGAL_OPTION",
    );
    backupStore(driver.host, OPTIONS, COPY);
    const path = `${COPY}/orbitmq-backup.json`;
    const newer = driver.host.files.openSync(path);
    newer.truncateSync(0);
    newer.writeSync(Buffer.from('{"version":2}'), 0);
    assert.equal(
      codeOf(() => backupStore(driver.host, OPTIONS, COPY)),
      "VERSION",
    );
    assert.equal(driver.host.files.image().files.get(path)?.toString(), '{"version":2}');
    newer.truncateSync(0);
    assert.equal(
      codeOf(() => backupStore(driver.host, OPTIONS, COPY)),
      "DAMAGED",
    );
  });
});
