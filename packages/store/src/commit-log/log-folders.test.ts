import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StoreError } from "../store-error.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";
import { LogFolders } from "./log-folders.ts";

const TWO = { storePathCommitLog: "/disk1/log,/disk2/log" } as const;

const body = (index: number) => `${index}`.padEnd(1000, ".");

/** Sends messages [from, to), a dozen to a segment. */
function fill(driver: StoreDriver, from: number, to: number): string[] {
  const sent: string[] = [];
  for (let index = from; index < to; index += 1) {
    driver.sendNow(message(body(index)));
    sent.push(body(index));
  }
  return sent;
}

const filesIn = (driver: StoreDriver, folder: string) =>
  [...driver.host.files.names.keys()].filter((path) => path.startsWith(`${folder}/`)).sort();

describe("the folders of a log", () => {
  it("are read from RocketMQ's lists, the read-only ones never written to", () => {
    const folders = new LogFolders("/b/, /a,,/b,/c", "/c,/d");
    assert.deepEqual(folders.writable, ["/a", "/b"]);
    assert.deepEqual(folders.all, ["/a", "/b", "/c", "/d"]);
    assert.deepEqual(
      ["/a", "/c", "/d"].map((folder) => folders.isReadOnly(folder)),
      [false, true, true],
    );
    assert.throws(
      () => new LogFolders("/a", "/a"),
      (error) => error instanceof StoreError && error.code === "ILLEGAL_OPTION",
    );
  });

  it("get new segments in turn, full ones left out unless all are full", () => {
    const folders = new LogFolders("/c,/a,/b", "");
    const next = () => [0, 1, 2, 3].map((number) => folders.forNew(number));
    assert.deepEqual(next(), ["/a", "/b", "/c", "/a"]);
    folders.full = new Set(["/b"]);
    assert.deepEqual(next(), ["/a", "/c", "/a", "/c"]);
    folders.full = new Set(["/a", "/b", "/c"]);
    assert.deepEqual(next(), ["/a", "/b", "/c", "/a"]);
  });
});

describe("a store with several CommitLog folders", () => {
  it("spreads its segments over them and finds them again, stopped or killed", async () => {
    const driver = await StoreDriver.open(TWO);
    const sent = fill(driver, 0, 60);
    assert.deepEqual(
      filesIn(driver, "/disk1/log").map((path) => Number(path.slice(-20)) / 16_384),
      [0, 2, 4],
    );
    assert.deepEqual(
      filesIn(driver, "/disk2/log").map((path) => Number(path.slice(-20)) / 16_384),
      [1, 3],
    );
    assert.deepEqual(filesIn(driver, `${HOME}/commitlog`), []);
    const killed = await driver.killed(TWO);
    assert.deepEqual(killed.bodies(), sent);
    await driver.stop();
    const again = await driver.killed(TWO);
    assert.deepEqual(again.bodies(), sent);
    assert.equal(again.sendNow(message("next")).queueOffset, sent.length);
  });

  it("goes on when a folder is added, and when one becomes read-only", async () => {
    const driver = await StoreDriver.open();
    const sent = fill(driver, 0, 30);
    await driver.stop();
    const added = { storePathCommitLog: `${HOME}/commitlog,/disk2/log` };
    const second = await driver.killed(added);
    sent.push(...fill(second, 30, 60));
    await second.stop();
    const retired = {
      storePathCommitLog: "/disk2/log,/disk3/log",
      readOnlyCommitLogStorePaths: `${HOME}/commitlog`,
    };
    const third = await second.killed(retired);
    const before = filesIn(third, `${HOME}/commitlog`);
    sent.push(...fill(third, 60, 90));
    assert.deepEqual(third.bodies(), sent);
    assert.deepEqual(filesIn(third, `${HOME}/commitlog`), before);
    assert.ok(filesIn(third, "/disk3/log").length > 0);
  });

  it("refuses to start when a read-only folder is not there, or a segment is in two folders", async () => {
    const driver = await StoreDriver.open(TWO);
    fill(driver, 0, 30);
    await driver.stop();
    const isDamage = (text: RegExp) => (error: unknown) =>
      error instanceof StoreError && error.code === "DAMAGED" && text.test(error.message);
    await assert.rejects(
      driver.killed({ ...TWO, readOnlyCommitLogStorePaths: "/disk9/log" }),
      isDamage(/\/disk9\/log.*mounted/),
    );
    await assert.rejects(driver.killed({ storePathCommitLog: "/disk1/log" }), isDamage(/gap/));
    const image = driver.host.files.image();
    const twice = new Map(image.files);
    twice.set(`/disk2/log/${"0".repeat(20)}`, image.files.get(`/disk1/log/${"0".repeat(20)}`)!);
    await assert.rejects(
      StoreDriver.open(TWO, { files: twice, folders: image.folders }),
      isDamage(/also in \/disk1/),
    );
  });
});
