import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HostError } from "@orbitmq/host";
import { memoryFiles } from "./memory-files.ts";

const turns: (() => void)[] = [];
const host = {
  clock: { wallMs: () => 1_000, monotonicMs: () => 1 },
  timers: {
    after: () => ({ cancel() {} }),
    every: () => ({ cancel() {} }),
    afterTurn: (fn: () => void) => void turns.push(fn),
  },
};
const runTurns = () => {
  for (let fn = turns.shift(); fn !== undefined; fn = turns.shift()) fn();
};
const code = (expected: string) => (error: unknown) => error instanceof HostError && error.code === expected;

describe("memory files", () => {
  it("reads back what was written across pages, and zeros where nothing was", () => {
    const files = memoryFiles(host);
    const file = files.openSync("/a", { create: true });
    const bytes = new Uint8Array(200_000).map((_, i) => (i % 251) + 1);
    file.writeSync(bytes, 60_000);
    assert.equal(file.sizeSync(), 260_000);
    const back = new Uint8Array(300_000);
    assert.equal(file.readSync(back, 0), 260_000);
    assert.ok(back.subarray(0, 60_000).every((byte) => byte === 0));
    assert.deepEqual(back.subarray(60_000, 260_000), bytes);
    assert.deepEqual(files.readWholeSync("/a"), back.subarray(0, 260_000));
  });

  it("holds a long sparse file without the memory", () => {
    const files = memoryFiles(host, 1_000_000);
    const file = files.openSync("/log", { create: true });
    file.truncateSync(1_073_741_824);
    assert.equal(file.sizeSync(), 1_073_741_824);
    assert.equal(files.spaceSync("/").freeBytes, 1_000_000);
  });

  it("reserves what is zeroed ahead, so that an append into it never finds the budget spent", () => {
    const files = memoryFiles(host, 3 * 65_536);
    const log = files.openSync("/log", { create: true });
    log.writeSync(new Uint8Array(2 * 65_536), 0);
    const other = files.openSync("/other", { create: true });
    other.writeSync(Uint8Array.of(1), 0);
    assert.throws(() => other.writeSync(Uint8Array.of(1), 65_536), code("ENOSPC"));
    log.writeSync(Uint8Array.of(1, 2, 3), 100_000);
    const back = new Uint8Array(4);
    log.readSync(back, 99_999);
    assert.deepEqual([...back], [0, 1, 2, 3]);
  });

  it("gives the space of removed, replaced and truncated files back", () => {
    const files = memoryFiles(host, 10 * 65_536);
    for (const path of ["/a", "/b"]) files.openSync(path, { create: true }).writeSync(Uint8Array.of(1), 0);
    files.renameSync("/a", "/b");
    assert.equal(files.spaceSync("/").freeBytes, 9 * 65_536);
    files.openSync("/b").truncateSync(0);
    files.unlinkSync("/b");
    assert.equal(files.spaceSync("/").freeBytes, 10 * 65_536);
  });

  it("reads zeros after a cut and a new growth", () => {
    const file = memoryFiles(host).openSync("/a", { create: true });
    file.writeSync(Uint8Array.of(1, 2, 3, 4), 0);
    file.truncateSync(2);
    file.truncateSync(4);
    const back = new Uint8Array(4);
    assert.equal(file.readSync(back, 0), 4);
    assert.deepEqual([...back], [1, 2, 0, 0]);
  });

  it("calls back in a later turn, failures included", () => {
    const file = memoryFiles(host, 65_536).openSync("/a", { create: true });
    const seen: unknown[] = [];
    file.write("log", Uint8Array.of(7), 0, (error) => seen.push(error));
    file.write("log", Uint8Array.of(7), 65_536, (error) => seen.push(error?.code));
    const into = new Uint8Array(1);
    file.read("cold", into, 0, (error, count) => seen.push([error, count, into[0]]));
    file.fdatasync("log", (error) => seen.push(error));
    assert.deepEqual(seen, []);
    runTurns();
    assert.deepEqual(seen, [undefined, "ENOSPC", [undefined, 1, 7], undefined]);
  });

  it("keeps folders, lists them, and refuses files without one", () => {
    const files = memoryFiles(host);
    assert.throws(() => files.openSync("/x/y", { create: true }), code("ENOENT"));
    files.makeFolderSync("/x/y/z");
    files.openSync("/x/y/f", { create: true });
    assert.deepEqual(files.listSync("/x/y").sort(), ["f", "z"]);
    assert.deepEqual(files.listSync("/x/"), ["y"]);
    assert.throws(() => files.listSync("/nowhere"), code("ENOENT"));
    assert.throws(() => files.removeFolderSync("/x/y"), code("ENOTEMPTY"));
    files.renameSync("/x", "/w");
    assert.deepEqual(files.listSync("/w/y").sort(), ["f", "z"]);
    assert.equal(files.statSync("/w/y/f")?.isFolder, false);
    assert.equal(files.statSync("/x"), undefined);
  });

  it("locks once at a time", () => {
    const files = memoryFiles(host);
    const lock = files.lockSync("/lock");
    assert.throws(() => files.lockSync("/lock"), code("ELOCKED"));
    lock.release();
    files.lockSync("/lock");
  });

  it("fails on closed and read-only files", () => {
    const files = memoryFiles(host);
    const file = files.openSync("/a", { create: true });
    file.closeSync();
    assert.throws(() => file.writeSync(Uint8Array.of(1), 0), code("ECLOSED"));
    assert.throws(() => files.openSync("/a", { writable: false }).truncateSync(1), code("EBADF"));
    assert.throws(() => files.openSync("/a", { exclusive: true }), code("EEXIST"));
  });
});
