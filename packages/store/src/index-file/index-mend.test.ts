/** IndexFiles of several blocks that are not what was written, under queries by key. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { physicalOffset } from "@orbitmq/host";
import { CrashModel, LOSE_ALL } from "../testing/crash-model.ts";
import type { DiskImage } from "../testing/fake-disk.ts";
import { finish } from "../testing/fake-host.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";
import { HEADER_BYTES, ITEM_BYTES, itemPosition } from "./index-layout.ts";

/** The 334th message has keys in two files. */
const SIZES = { slots: 2500, items: 1001 };
const OPTIONS = { maxHashSlotNum: SIZES.slots, maxIndexNum: SIZES.items, hotTailBytes: 4096 };
const MESSAGES = 500;
const WORDS = 7;
const KEPT = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} };

const bodies = (driver: StoreDriver, key: string): string[] =>
  driver.query(key).map((record) => Buffer.from(record.body).toString());

/** Two full IndexFiles but for some items; killed or stopped. */
async function filled(how: "stop" | "kill", count = MESSAGES): Promise<DiskImage> {
  const driver = await StoreDriver.open(OPTIONS);
  for (let index = 0; index < count; index += 1) {
    const properties = `UNIQ_KEY\u0001id-${index}\u0002KEYS\u0001k${index % WORDS} all\u0002`;
    driver.send(message(`m${index}`, { properties }));
    if (index % 50 === 49) driver.host.settle();
  }
  driver.host.advance(70_000);
  if (how === "stop") await driver.stop();
  return driver.host.files.image();
}

function indexPaths(image: DiskImage): string[] {
  return [...image.files.keys()].filter((path) => path.startsWith(`${HOME}/index/`)).sort();
}

function damaged(image: DiskImage, path: string, change: (bytes: Buffer) => void): DiskImage {
  const bytes = Buffer.from(image.files.get(path)!);
  change(bytes);
  return { files: new Map(image.files).set(path, bytes), folders: image.folders };
}

function checkAll(driver: StoreDriver, what: string, count = MESSAGES): void {
  for (let index = 0; index < count; index += 1) {
    assert.deepEqual(bodies(driver, `id-${index}`), [`m${index}`], `${what}: id-${index}`);
  }
  for (let word = 0; word < WORDS; word += 1) {
    const expected = Array.from({ length: count }, (_, index) => index).filter((at) => at % WORDS === word);
    assert.deepEqual(
      bodies(driver, `k${word}`),
      expected.slice(-64).map((index) => `m${index}`),
      `${what}: k${word}`,
    );
  }
}

/** Items that the newer of the state's slots counts. */
function readUInt(state: Buffer): number {
  return Math.max(state.readUInt32BE(48), state.length > 4096 + 52 ? state.readUInt32BE(4096 + 48) : 0);
}

const spoil = (from: number, to: number) => (bytes: Buffer) => {
  for (let at = from; at < to; at += 1) bytes[at] = bytes[at]! ^ 0x5a;
};
const item = (number: number): number => itemPosition(SIZES, number);

describe("an IndexFile that is not what was written", () => {
  const damages: [string, number, number, (bytes: Buffer) => void][] = [
    ["items of its first block", 0, 1, spoil(item(2), item(4))],
    ["its first item", 0, 0, spoil(item(1), item(2))],
    ["a whole block of items", 0, 1, spoil(item(256), item(512))],
    ["two blocks of items, and their neighbours", 0, 3, spoil(item(500), item(800))],
    ["its last items but one", 0, 1, spoil(item(990), item(998))],
    ["the link of an item to the one before it", 0, 1, spoil(item(700) + 16, item(700) + 20)],
    ["a page of slots", 0, 1, spoil(HEADER_BYTES, HEADER_BYTES + 4096)],
    ["slots and items", 0, 2, (bytes) => spoil(60, 70)(spoiled(bytes))],
    ["the newest items", 1, 0, spoil(item(490), item(495))],
    ["items of the newest file", 1, 0, spoil(item(20), item(30))],
  ];
  const spoiled = (bytes: Buffer): Buffer => {
    spoil(item(300), item(301))(bytes);
    return bytes;
  };

  for (const how of ["stop", "kill"] as const) {
    for (const [what, file, blocks, change] of damages) {
      it(`in ${what}, is put right on disk by the log, and hides no message, after a ${how}`, async () => {
        const image = await filled(how);
        const path = indexPaths(image)[file]!;
        const driver = await StoreDriver.open(OPTIONS, damaged(image, path, change));
        checkAll(driver, what);
        assert.ok(driver.store.status().integrity.wrongIndexBlocks >= blocks, "it is counted");
        const after = driver.host.files.image();
        if (blocks > 0)
          assert.ok(after.files.get(path)!.equals(image.files.get(path)!), "the file is what it was");
        const again = await StoreDriver.open(OPTIONS, after);
        checkAll(again, `${what}, then`);
        assert.equal(again.store.status().integrity.wrongIndexBlocks, 0, "nothing is left to be put right");
      });
    }
  }

  it("in its slots while it is filled, goes on with the slots that its items say", async () => {
    const image = await filled("stop", 400);
    const newest = indexPaths(image).at(-1)!;
    const wrong = damaged(image, newest, spoil(HEADER_BYTES, HEADER_BYTES + 4 * SIZES.slots));
    const driver = await StoreDriver.open(OPTIONS, wrong);
    for (let index = 400; index < MESSAGES; index += 1) {
      const properties = `UNIQ_KEY\u0001id-${index}\u0002KEYS\u0001k${index % WORDS} all\u0002`;
      driver.sendNow(message(`m${index}`, { properties }));
    }
    checkAll(driver, "slots");
    checkAll(await driver.killed(OPTIONS), "slots, after a kill");
  });

  it("in the milliseconds of its header, hides no message at the ends of a time range", async () => {
    const first = await StoreDriver.open({ maxIndexNum: 100 });
    const times: number[] = [];
    for (let index = 0; index < 60; index += 1) {
      times.push(
        first.sendNow(
          message(`m${index}`, { properties: `UNIQ_KEY\u0001id-${index}\u0002KEYS\u0001k\u0002` }),
        ).storeTimestamp,
      );
      first.host.wall += 10;
    }
    first.host.advance(70_000);
    await first.stop();
    const image = first.host.files.image();
    const path = indexPaths(image)[0]!;
    const raised = damaged(image, path, (bytes) => bytes.writeUInt8(bytes[7]! + 8, 7));
    const driver = await StoreDriver.open({ maxIndexNum: 100 }, raised);
    const found = driver.query("id-0", { beginMs: times[0]!, endMs: times[0]! });
    assert.deepEqual(
      found.map((record) => Buffer.from(record.body).toString()),
      ["m0"],
    );
  });

  it("that cannot be put right is left to the log, which has all messages", async () => {
    const image = await filled("stop");
    const path = indexPaths(image)[0]!;
    const driver = await StoreDriver.open(OPTIONS, damaged(image, path, spoil(item(256), item(300))));
    driver.host.files.fault = (what, at) => (what === "write" && at === path ? "EIO" : undefined);
    checkAll(driver, "not writable");
    driver.host.files.fault = () => undefined;
    checkAll(driver, "writable again");
    assert.ok(driver.host.files.image().files.get(path)!.equals(image.files.get(path)!));
  });

  it("that cannot be read is written again from the log", async () => {
    const driver = await StoreDriver.open(OPTIONS, await filled("stop"));
    let refused = 0;
    driver.host.files.fault = (what, path) => {
      if (what !== "read" || !path.startsWith(`${HOME}/index/`) || refused >= 1) return undefined;
      refused += 1;
      return "EIO";
    };
    checkAll(driver, "unreadable");
    assert.equal(refused, 1);
  });

  it("has no message found twice, or found although the log was cut meanwhile", async () => {
    const image = await filled("stop");
    const path = indexPaths(image)[1]!;
    const driver = await StoreDriver.open(OPTIONS, damaged(image, path, spoil(item(10), item(12))));
    const kept = driver.readAll()[420]!.physicalOffset;
    await finish(driver.host, driver.store.truncateTo(physicalOffset(kept)));
    driver.host.advance(1000);
    checkAll(driver, "cut", 420);
    checkAll(await driver.killed(OPTIONS), "cut, then killed", 420);
  });

  it("when it is lost as the log is cut, is made again in the background", async () => {
    const image = await filled("stop");
    const path = indexPaths(image)[1]!;
    const driver = await StoreDriver.open(OPTIONS, damaged(image, path, spoil(item(150), item(160))));
    const records = driver.readAll();
    await finish(driver.host, driver.store.truncateTo(physicalOffset(records[380]!.physicalOffset)));
    driver.host.advance(20_000);
    checkAll(driver, "lost", 380);
    assert.equal(driver.store.status().keyIndex.stalls, 1);
    assert.equal(driver.store.status().keyIndex.behindBytes, 0);
    checkAll(await driver.killed(OPTIONS), "lost, then killed", 380);
    await driver.stop();
    const made = driver.host.files.image();
    const counts = indexPaths(made).map((name) => made.files.get(name)!.readInt32BE(36));
    assert.deepEqual(counts, [1001, 1 + 380 * 3 - 1000], "no key is there twice");
  });
});

describe("checksums of IndexFiles", () => {
  it("that are missing, torn or damaged cost no message", async () => {
    const image = await filled("kill");
    const sums = [...image.files.keys()].filter((path) =>
      path.startsWith(`${HOME}/orbitmq-checksums/index/`),
    );
    assert.equal(sums.length, 2);
    for (const path of sums) {
      const bytes = image.files.get(path)!;
      const changes = [
        undefined,
        Buffer.alloc(0),
        bytes.subarray(0, 100),
        Buffer.alloc(bytes.length, 0x31),
        Buffer.concat([bytes.subarray(0, 16), Buffer.alloc(bytes.length - 16, 7)]),
      ];
      for (const change of changes) {
        const files = new Map(image.files);
        if (change === undefined) files.delete(path);
        else files.set(path, change);
        const driver = await StoreDriver.open(OPTIONS, { files, folders: image.folders });
        checkAll(driver, `${path} with ${change?.length} bytes`);
      }
    }
  });

  const without = (image: DiskImage, pattern: RegExp): DiskImage => ({
    files: new Map([...image.files].filter(([path]) => !pattern.test(path))),
    folders: image.folders,
  });

  it("count only for what we have written: another's files are read as they are", async () => {
    const image = await filled("stop");
    const warnings: string[] = [];
    const warn = (_: object, text: string) => void warnings.push(text);
    // Without mark and state nobody knows who has written the files.
    const driver = await StoreDriver.open(OPTIONS, without(image, /orbitmq-(mark|index)$/), {
      ...KEPT,
      warn,
    } as never);
    const sums = [...driver.host.files.image().files.keys()].filter((path) =>
      path.includes("checksums/index/"),
    );
    assert.deepEqual(sums, []);
    checkAll(driver, "another's");
    await driver.stop();
    const again = await StoreDriver.open(OPTIONS, driver.host.files.image(), { ...KEPT, warn } as never);
    checkAll(again, "another's, later");
    assert.deepEqual(warnings, []);
  });

  const lost: [string, (image: DiskImage) => DiskImage][] = [
    ["the mark is", (image) => without(image, /orbitmq-mark$/)],
    ["the state is", (image) => without(image, /orbitmq-index$/)],
    [
      "abort is torn and the mark is",
      (image) => {
        const files = new Map(without(image, /orbitmq-mark$/).files).set(`${HOME}/abort`, Buffer.alloc(0));
        return { files, folders: image.folders };
      },
    ],
  ];
  for (const how of ["stop", "kill"] as const) {
    for (const [what, lose] of lost) {
      it(`still count when ${what} lost, after a ${how}`, async () => {
        const image = await filled(how);
        for (const [file, from, to] of [
          [0, 300, 301],
          [1, 20, 21],
          [1, 490, 491],
        ] as const) {
          const kept = lose(image);
          const path = indexPaths(image)[file]!;
          const driver = await StoreDriver.open(OPTIONS, damaged(kept, path, spoil(item(from), item(to))));
          checkAll(driver, `item ${from} of file ${file}`);
        }
      });
    }
  }

  for (const how of ["stop", "kill"] as const) {
    it(`that are lost for some blocks let no damage there hide a message, after a ${how}`, async () => {
      const image = await filled(how);
      const pages = Math.ceil(SIZES.slots / 1024);
      const spots: [number, number, (bytes: Buffer) => void][] = [
        [0, 1, spoil(HEADER_BYTES + 4, HEADER_BYTES + 8)],
        [0, 1 + pages, spoil(item(2), item(3))],
        [0, 2 + pages, spoil(item(300) + 16, item(300) + 20)],
        [0, 4 + pages, spoil(item(995), item(996))],
        [1, 1, spoil(HEADER_BYTES + 4, HEADER_BYTES + 8)],
        [1, 1 + pages, spoil(item(3), item(4))],
        [1, 2 + pages, spoil(item(495), item(496))],
      ];
      for (const [file, block, change] of spots) {
        const path = indexPaths(image)[file]!;
        const sums = path.replace(HOME, `${HOME}/orbitmq-checksums`);
        const forget = (bytes: Buffer) => void bytes.fill(0, 16 + 8 * block, 24 + 8 * block);
        const driver = await StoreDriver.open(OPTIONS, damaged(damaged(image, sums, forget), path, change));
        checkAll(driver, `file ${file}, block ${block}`);
      }
    });
  }

  it("that are lost altogether are made again, by the log", async () => {
    const image = await filled("stop");
    const [path] = indexPaths(image);
    const sums = path!.replace(HOME, `${HOME}/orbitmq-checksums`);
    const driver = await StoreDriver.open(OPTIONS, without(image, new RegExp(sums)));
    checkAll(driver, "without checksums");
    assert.equal(driver.store.status().integrity.wrongIndexBlocks, 0, "nothing was wrong");
    assert.deepEqual(
      driver.host.files.image().files.get(sums)?.subarray(24),
      image.files.get(sums)?.subarray(24),
    );
  });

  it("are on disk before the state vouches for what they are about", async () => {
    const driver = await StoreDriver.open(OPTIONS);
    const model = new CrashModel();
    let applied = 0;
    for (let index = 0; index < MESSAGES; index += 1) {
      const properties = `UNIQ_KEY\u0001id-${index}\u0002KEYS\u0001k${index % WORDS} all\u0002`;
      driver.send(message(`m${index}`, { properties }));
      if (index % 100 === 99) driver.host.advance(11_000);
      const { operations } = driver.host.files;
      for (; applied < operations.length; applied += 1) model.apply(operations[applied]!);
      if (index % 100 !== 99) continue;
      const image = model.crash(LOSE_ALL);
      const warnings: string[] = [];
      const warn = (_: object, text: string) => void warnings.push(text);
      const after = await StoreDriver.open(OPTIONS, image, { ...KEPT, warn } as never);
      checkAll(after, `${index} messages`, index + 1);
      assert.deepEqual(warnings, [], "nothing has to be compared with the log");
      for (const path of indexPaths(image)) {
        for (const at of [5, 300, 700, 990]) {
          const used = await StoreDriver.open(OPTIONS, damaged(image, path, spoil(item(at), item(at + 1))));
          checkAll(used, `${index} messages, item ${at} of ${path}`, index + 1);
        }
      }
    }
  });

  it("that cannot be written hold up the IndexFile, until they can be", async () => {
    const errors: string[] = [];
    const error = (_: object, text: string) => void errors.push(text);
    const driver = await StoreDriver.open(OPTIONS, undefined, { ...KEPT, error } as never);
    const { files } = driver.host;
    files.fault = (what, path) =>
      what === "write" && path.includes("/orbitmq-checksums/index/") ? "ENOSPC" : undefined;
    driver.sendNow(message("m", { properties: "UNIQ_KEY\u0001id\u0002" }));
    driver.host.advance(70_000);
    assert.deepEqual(bodies(driver, "id"), ["m"]);
    const counted = () => readUInt(files.image().files.get(`${HOME}/orbitmq-index`)!);
    assert.equal(counted(), 1, "no state vouches for it");
    assert.deepEqual(errors, ["the IndexFile cannot be written; trying again"]);
    files.fault = () => undefined;
    driver.sendNow(message("n", { properties: "UNIQ_KEY\u0001other\u0002" }));
    driver.host.advance(70_000);
    assert.equal(counted(), 3);
    assert.deepEqual(bodies(await driver.killed(OPTIONS), "id"), ["m"]);
  });

  it("go with their files", async () => {
    const driver = await StoreDriver.open(OPTIONS, await filled("stop"));
    await finish(driver.host, driver.store.truncateTo(physicalOffset(0)));
    driver.host.advance(70_000);
    const left = [...driver.host.files.image().files.keys()].filter((path) => path.includes("index/"));
    assert.deepEqual(left, []);
  });

  it("know every item and slot that is on disk", async () => {
    const image = await filled("stop");
    const [path] = indexPaths(image);
    const sums = image.files.get(path!.replace(HOME, `${HOME}/orbitmq-checksums`))!;
    const blocks = 1 + Math.ceil(SIZES.slots / 1024) + Math.ceil(SIZES.items / 256);
    assert.equal(sums.length, 16 + 8 * blocks);
    const lengths = Array.from({ length: blocks }, (_, block) => sums.readUInt32BE(16 + 8 * block));
    assert.deepEqual(lengths, [40, 4096, 4096, 1808, 5120, 5120, 5120, (1001 - 768) * ITEM_BYTES]);
  });
});
