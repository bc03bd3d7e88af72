/** IndexFiles the Java broker has written (testdata/index: RocketMQ 5.5.0), and ours beside them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { DiskImage } from "../testing/fake-disk.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";
import { decodeHeader } from "./index-layout.ts";

const FOLDER = new URL("../../testdata/index/", import.meta.url);
const golden = (name: string): Buffer => readFileSync(new URL(name, FOLDER));
const NAMES = readdirSync(FOLDER).filter((name) => /^\d{17}$/.test(name));
const SIZES = { slots: 64, items: 32 };
const OPTIONS = {
  mappedFileSizeCommitLog: 65_536,
  mappedFileSizeConsumeQueue: 6_000,
  maxHashSlotNum: SIZES.slots,
  maxIndexNum: SIZES.items,
};
const TOPIC = { topic: "GoldenIndex" };
const MESSAGES = Array.from({ length: 40 }, (_, index) => `body ${index}`);

function padded(bytes: Buffer, length: number): Buffer {
  const result = Buffer.alloc(length);
  bytes.copy(result);
  return result;
}

function javaStore(what: { index?: readonly string[]; abort?: string } = {}): DiskImage {
  const files = new Map([
    [`${HOME}/commitlog/00000000000000000000`, padded(golden("commitlog.bin"), 65_536)],
    [`${HOME}/checkpoint`, padded(golden("checkpoint.bin"), 4096)],
  ]);
  const folders = new Set(["/", "/data", HOME, `${HOME}/commitlog`, `${HOME}/consumequeue`, `${HOME}/index`]);
  folders.add(`${HOME}/consumequeue/GoldenIndex`);
  for (let queueId = 0; queueId < 4; queueId += 1) {
    const folder = `${HOME}/consumequeue/GoldenIndex/${queueId}`;
    folders.add(folder);
    files.set(`${folder}/00000000000000000000`, padded(golden(`queue-${queueId}.bin`), 6_000));
  }
  for (const name of what.index ?? NAMES) files.set(`${HOME}/index/${name}`, golden(name));
  if (what.abort !== undefined) files.set(`${HOME}/abort`, Buffer.from(what.abort));
  return { files, folders };
}

const bodiesOf = (driver: StoreDriver, key: string, indexType: "K" | "T" = "K"): string[] =>
  driver.query(key, { ...TOPIC, indexType }).map((record) => Buffer.from(record.body).toString());

function checkAll(driver: StoreDriver): void {
  for (let key = 0; key < 7; key += 1) {
    assert.deepEqual(
      bodiesOf(driver, `key-${key}`),
      MESSAGES.filter((_, index) => index % 7 === key),
    );
  }
  MESSAGES.forEach((body, index) => {
    assert.deepEqual(bodiesOf(driver, `only-${index}`), [body]);
  });
  assert.deepEqual(
    bodiesOf(driver, "odd", "T"),
    MESSAGES.filter((_, index) => index % 2 === 1),
  );
}

const indexFiles = (driver: StoreDriver): Buffer[] =>
  [...driver.host.files.names]
    .filter(([path]) => path.startsWith(`${HOME}/index/`))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { bytes }]) => bytes);

describe("an index the Java broker has written", () => {
  it("is used as it is after an orderly stop, and gone on with", async () => {
    const driver = await StoreDriver.open(OPTIONS, javaStore());
    checkAll(driver);
    const key = message("new", { ...TOPIC, properties: "KEYS\u0001key-3\u0002" });
    driver.sendNow(key);
    assert.equal(bodiesOf(driver, "key-3").at(-1), "new");
    await driver.stop();
    const paths = [...driver.host.files.names.keys()].filter((path) => path.startsWith(`${HOME}/index/`));
    assert.deepEqual(
      paths.sort().slice(0, NAMES.length),
      NAMES.map((name) => `${HOME}/index/${name}`),
    );
    const again = await StoreDriver.open(OPTIONS, driver.host.files.image());
    assert.equal(bodiesOf(again, "key-3").at(-1), "new");
  });

  it("is completed from the log after a kill, and when files of it are missing", async () => {
    checkAll(await StoreDriver.open(OPTIONS, javaStore({ abort: "12345" })));
    for (const lost of NAMES) {
      const index = NAMES.filter((name) => name !== lost);
      const driver = await StoreDriver.open(OPTIONS, javaStore({ index, abort: "1" }));
      checkAll(driver);
    }
    checkAll(await StoreDriver.open(OPTIONS, javaStore({ index: [] })));
    checkAll(await StoreDriver.open(OPTIONS, javaStore({ index: NAMES.slice(0, 3) })));
  });

  it("has the bytes that we write for the same log", async () => {
    for (let kept = 0; kept <= NAMES.length; kept += 1) {
      const driver = await StoreDriver.open(OPTIONS, javaStore({ index: NAMES.slice(0, kept) }));
      await driver.stop();
      const files = indexFiles(driver);
      assert.equal(files.length, NAMES.length);
      NAMES.forEach((name, index) => {
        const java = golden(name);
        assert.deepEqual(decodeHeader(files[index]!, SIZES), decodeHeader(java, SIZES), name);
        assert.deepEqual(files[index], java, `${name}, with ${kept} files to begin with`);
      });
    }
  });
});
