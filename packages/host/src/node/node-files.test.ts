import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { HostError } from "../host-error.ts";
import { nodeHost } from "./node-host.ts";

const { files } = nodeHost();
const folder = mkdtempSync(join(tmpdir(), "host-files-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const text = (value: string) => new TextEncoder().encode(value);
const codeIs = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;

test("what is written at a position is read back from there", () => {
  const file = files.openSync(join(folder, "positions"), { create: true });
  file.writeSync(text("world"), 6);
  file.writeSync(text("hello "), 0);
  const into = new Uint8Array(32);
  assert.equal(file.readSync(into, 0), 11);
  assert.equal(new TextDecoder().decode(into.subarray(0, 11)), "hello world");
  assert.equal(file.sizeSync(), 11);
  file.closeSync();
});

test("pool reads and writes transfer everything and are short only at the end of the file", async () => {
  const file = files.openSync(join(folder, "pool"), { create: true });
  const bytes = new Uint8Array(300_000).map((_, index) => index % 251);
  await new Promise<void>((resolve, reject) =>
    file.write("other", bytes, 5, (error) => (error === undefined ? resolve() : reject(error))),
  );
  const into = new Uint8Array(400_000);
  const count = await new Promise<number>((resolve, reject) =>
    file.read("cold", into, 5, (error, read) => (error === undefined ? resolve(read) : reject(error))),
  );
  assert.equal(count, bytes.length);
  assert.deepEqual(into.subarray(0, count), bytes);
  await new Promise<void>((resolve, reject) =>
    file.fdatasync("log", (error) => (error === undefined ? resolve() : reject(error))),
  );
  file.fdatasyncSync();
  file.closeSync();
});

test("a longer file reads as zeros after truncate", () => {
  const file = files.openSync(join(folder, "sparse"), { create: true });
  file.truncateSync(4096);
  const into = new Uint8Array(16).fill(7);
  assert.equal(file.readSync(into, 4080), 16);
  assert.deepEqual(into, new Uint8Array(16));
  file.closeSync();
});

test("each lane keeps its number of operations in flight and its order of arrival", async () => {
  const file = files.openSync(join(folder, "lanes"), { create: true });
  file.writeSync(new Uint8Array(64), 0);
  const order: number[] = [];
  await Promise.all(
    Array.from(
      { length: 20 },
      (_, index) =>
        new Promise<void>((resolve) =>
          file.read("other", new Uint8Array(8), 0, () => {
            order.push(index);
            resolve();
          }),
        ),
    ),
  );
  assert.deepEqual(
    order,
    Array.from({ length: 20 }, (_, index) => index),
  );
  file.closeSync();
});

test("a file closed with operations in flight finishes them and refuses later ones", async () => {
  const file = files.openSync(join(folder, "closing"), { create: true });
  const inFlight = Array.from(
    { length: 5 },
    () => new Promise((resolve) => file.write("other", text("abc"), 0, resolve)),
  );
  file.closeSync();
  file.closeSync();
  assert.deepEqual(await Promise.all(inFlight), [undefined, undefined, undefined, undefined, undefined]);
  const refused = await new Promise((resolve) => file.write("other", text("abc"), 0, resolve));
  assert.ok(codeIs("ECLOSED")(refused));
  assert.throws(() => file.writeSync(text("abc"), 0), codeIs("ECLOSED"));
  assert.throws(() => file.sizeSync(), codeIs("ECLOSED"));
});

test("failures are HostErrors with the operating system's code", async () => {
  assert.throws(() => files.openSync(join(folder, "missing")), codeIs("ENOENT"));
  assert.throws(() => files.listSync(join(folder, "missing")), codeIs("ENOENT"));
  files.openSync(join(folder, "there"), { create: true }).closeSync();
  assert.throws(() => files.openSync(join(folder, "there"), { exclusive: true }), codeIs("EEXIST"));
  const readOnly = files.openSync(join(folder, "there"), { writable: false });
  assert.throws(() => readOnly.writeSync(text("x"), 0), codeIs("EBADF"));
  assert.ok(codeIs("EBADF")(await new Promise((resolve) => readOnly.write("log", text("x"), 0, resolve))));
  readOnly.closeSync();
  assert.ok(
    codeIs("ENOENT")(await new Promise((resolve) => files.syncFolder(join(folder, "missing"), resolve))),
  );
});

test("folders, names and whole files behave as the interface says", async () => {
  const inner = join(folder, "a", "b");
  files.makeFolderSync(inner);
  files.makeFolderSync(inner);
  assert.equal(files.statSync(join(inner, "none")), undefined);
  assert.equal(files.readWholeSync(join(inner, "none")), undefined);
  files.unlinkSync(join(inner, "none"));
  const file = files.openSync(join(inner, "one"), { create: true });
  file.writeSync(text("content"), 0);
  file.closeSync();
  files.renameSync(join(inner, "one"), join(inner, "two"));
  files.syncFolderSync(inner);
  assert.equal(await new Promise((resolve) => files.syncFolder(inner, resolve)), undefined);
  assert.deepEqual(files.listSync(inner), ["two"]);
  const stat = files.statSync(join(inner, "two"));
  assert.equal(stat?.sizeBytes, 7);
  assert.equal(stat?.isFolder, false);
  assert.equal(files.statSync(inner)?.isFolder, true);
  assert.equal(new TextDecoder().decode(files.readWholeSync(join(inner, "two"))), "content");
  files.unlinkSync(join(inner, "two"));
  files.removeFolderSync(inner);
  assert.equal(files.statSync(inner), undefined);
  const space = files.spaceSync(folder);
  assert.ok(space.freeBytes > 0 && space.totalBytes >= space.freeBytes);
});
