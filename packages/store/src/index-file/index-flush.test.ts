/** The order in which the index reaches the disk, looked at operation by operation. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HostError, silentLogger } from "@orbitmq/host";
import { OpenFileCache } from "../open-file-cache.ts";
import type { DiskOperation } from "../testing/fake-disk.ts";
import { FakeHost } from "../testing/fake-host.ts";
import { IndexFlush } from "./index-flush.ts";
import { HEADER_BYTES, indexFileBytes } from "./index-layout.ts";
import { IndexService } from "./index-service.ts";
import { IndexStateFile } from "./index-state-file.ts";

const OPTIONS = { messageIndexEnable: true, maxHashSlotNum: 5, maxIndexNum: 9, indexStallItems: 1000 };
const SLOTS_END = HEADER_BYTES + 4 * OPTIONS.maxHashSlotNum;
const RECORD_BYTES = 100;

class Bench {
  readonly host = new FakeHost();
  readonly index: IndexService;
  readonly flush: IndexFlush;
  readonly completed: number[] = [];
  #position = 0;

  constructor(options = OPTIONS) {
    this.host.files.makeFolderSync("/index");
    const paths = { index: "/index", indexState: "/state", checksums: "/sums" };
    const cache = new OpenFileCache(this.host.files, 8);
    this.index = new IndexService(this.host, paths, options, cache, silentLogger);
    this.index.adopt([], 0, 0, 0);
    this.index.stateFile.open();
    this.flush = new IndexFlush(
      this.index,
      (timestamp) => this.completed.push(timestamp),
      () => this.#position,
    );
  }

  get position(): number {
    return this.#position;
  }

  /** Records with one key each. */
  add(count: number): void {
    for (let each = 0; each < count; each += 1) {
      const end = this.#position + RECORD_BYTES;
      this.index.note(
        this.#position,
        end,
        1000 + this.#position,
        "T",
        `KEYS\u0001k${this.#position}\u0002`,
        0,
      );
      this.index.follow(end);
      this.#position = end;
    }
  }

  run(upTo = this.#position): void {
    this.flush.run(upTo, () => undefined);
    this.host.settle();
  }

  names(): string[] {
    return this.host.files.listSync("/index").sort();
  }

  /** What was done to the disk since, in words. */
  story(from: number): string[] {
    const state = this.host.files.names.get("/state")!.id;
    const { operations } = this.host.files;
    const ofSums = operations.flatMap((operation) =>
      operation.kind === "create" && operation.path.startsWith("/sums/") ? [operation.inode] : [],
    );
    return operations
      .slice(from)
      .filter((operation) => !("inode" in operation && ofSums.includes(operation.inode)))
      .filter((operation) => !("path" in operation && operation.path.startsWith("/sums")))
      .map((operation) => told(operation, state));
  }
}

function told(operation: DiskOperation, state: number): string {
  if (operation.kind === "unlink" || operation.kind === "create") return operation.kind;
  if (operation.kind === "write") {
    if (operation.inode === state) return "state";
    if (operation.at === 0) return "header";
    return operation.at < SLOTS_END ? "slots" : "items";
  }
  if (operation.kind === "sync") return operation.inode === state ? "state synced" : "synced";
  return operation.kind === "syncFolder" ? "folder synced" : operation.kind;
}

describe("a flush of the index", () => {
  it("writes items, then the state, and slots and header only when they are due", () => {
    const bench = new Bench();
    bench.add(3);
    let from = bench.host.files.operations.length;
    bench.run();
    const made = ["create", "truncate", "truncate", "folder synced"];
    assert.deepEqual(bench.story(from), [...made, "items", "synced", "state", "state synced"]);
    bench.add(1);
    bench.host.advance(61_000);
    from = bench.host.files.operations.length;
    bench.run();
    const rest = ["slots", "synced", "header", "synced", "state", "state synced"];
    assert.deepEqual(bench.story(from), ["items", "synced", "state", "state synced", ...rest]);
  });

  it("vouches later for items that are on disk although a state could not be saved", () => {
    const bench = new Bench();
    bench.add(2);
    bench.run();
    const before = bench.index.indexedTo;
    bench.add(3);
    bench.host.files.fault = (what, path) => (what === "write" && path === "/state" ? "EIO" : undefined);
    bench.run();
    assert.equal(bench.index.indexedTo, before);
    bench.host.files.fault = () => undefined;
    // As retention does, which has nothing new to be flushed.
    bench.run(before);
    assert.equal(bench.index.failure, undefined);
    const state = new IndexStateFile(bench.host.files, "/state").load()!;
    assert.deepEqual([state.header.count, state.indexedTo], [6, bench.position - RECORD_BYTES]);
  });

  it("finishes a full file before the next one is vouched for, and tells its time", () => {
    const bench = new Bench();
    bench.add(10);
    const from = bench.host.files.operations.length;
    bench.run();
    const made = [
      "create",
      "truncate",
      "truncate",
      "folder synced",
      "items",
      "synced",
      "state",
      "state synced",
    ];
    assert.deepEqual(bench.story(from), [...made, "slots", "synced", "header", "synced", ...made]);
    assert.deepEqual(bench.completed, [1700]);
    assert.equal(
      bench.host.files.statSync(`/index/${bench.names()[0]}`)?.sizeBytes,
      indexFileBytes({ slots: 5, items: 9 }),
    );
  });

  it("leaves out items of records that are not on disk yet", () => {
    const bench = new Bench();
    bench.add(5);
    bench.run(3 * RECORD_BYTES);
    assert.equal(bench.index.indexedTo, 300);
    assert.deepEqual([bench.index.files[0]!.synced, bench.index.unsyncedItems], [4, 2]);
    bench.run();
    assert.deepEqual([bench.index.indexedTo, bench.index.unsyncedItems], [500, 0]);
  });

  it("writes slots that name only items that are on disk, whatever came meanwhile", () => {
    const bench = new Bench();
    bench.add(6);
    bench.host.advance(61_000);
    bench.run(3 * RECORD_BYTES);
    const { bytes } = bench.host.files.names.get(`/index/${bench.names()[0]}`)!;
    const named: number[] = [];
    for (let at = HEADER_BYTES; at < SLOTS_END; at += 4) named.push(bytes.readInt32BE(at));
    assert.ok(
      named.every((item) => item < 4) && named.includes(3),
      `slots name ${named.join(" ")}, three items are on disk`,
    );
    assert.equal(bytes.readInt32BE(36), 4, "the header counts as far as the slots know");
    bench.host.advance(61_000);
    bench.run();
    assert.equal(bytes.length, indexFileBytes({ slots: 5, items: 9 }));
    const later = bench.host.files.names.get(`/index/${bench.names()[0]}`)!.bytes;
    assert.equal(later.readInt32BE(36), 7);
  });

  it("is ended by a blocking one, which writes again what was under way", () => {
    const bench = new Bench();
    bench.add(5);
    bench.host.files.held = true;
    let ended = 0;
    bench.flush.run(bench.position, () => {
      ended += 1;
    });
    bench.flush.runSync(bench.position, "all");
    assert.equal(bench.index.indexedTo, 500);
    bench.host.files.release();
    bench.host.settle();
    assert.deepEqual([ended, bench.index.unsyncedItems, bench.index.files[0]!.slotsSynced], [1, 0, 6]);
  });

  it("removes files of deleted messages after the state has stopped naming them, never the newest", () => {
    const bench = new Bench();
    bench.add(30);
    bench.run();
    const names = bench.names();
    assert.equal(names.length, 4);
    const from = bench.host.files.operations.length;
    assert.equal(bench.flush.deleteBefore(1600), 2);
    assert.deepEqual(bench.names(), names, "not before the state is on disk");
    bench.host.settle();
    assert.deepEqual(bench.names(), names.slice(2));
    assert.deepEqual(bench.story(from), ["state", "state synced", "unlink", "unlink"]);
    assert.equal(bench.flush.deleteBefore(Number.MAX_SAFE_INTEGER), 1);
    bench.host.settle();
    assert.deepEqual(bench.names(), names.slice(3));
  });

  it("vouches only for what was indexed when it began, however far the index has caught up meanwhile", () => {
    const bench = new Bench({ ...OPTIONS, indexStallItems: 2 });
    bench.index.failure = new HostError("EIO", "the disk refuses");
    bench.add(3);
    assert.equal(bench.index.stalledAt, 200);
    bench.host.files.held = true;
    bench.flush.run(bench.position, () => undefined);
    bench.host.settle();
    bench.index.catchUp(200, 1200, "T", "KEYS\u0001k200\u0002", 0, 0);
    bench.index.caughtUpTo(300, 300);
    bench.host.files.held = false;
    bench.host.files.release();
    bench.host.settle();
    assert.deepEqual([bench.index.indexedTo, bench.index.files[0]!.synced], [200, 3]);
    bench.run();
    assert.deepEqual([bench.index.indexedTo, bench.index.files[0]!.synced], [300, 4]);
  });

  it("ends with the files it began with, though another one is begun meanwhile", () => {
    const bench = new Bench();
    bench.add(8);
    bench.host.files.held = true;
    bench.flush.run(bench.position, () => undefined);
    bench.add(3);
    assert.equal(bench.index.files.length, 2);
    bench.host.files.held = false;
    bench.host.files.release();
    bench.host.settle();
    assert.equal(bench.index.indexedTo, 800);
    assert.equal(bench.index.stateFile.load()?.files, 1);
    bench.run();
    assert.equal(bench.index.indexedTo, 1100);
    assert.equal(bench.index.stateFile.load()?.files, 2);
  });

  it("that failed is made up for by the next one", () => {
    const bench = new Bench();
    bench.host.files.fault = (what, path) =>
      what === "sync" && path.startsWith("/index") ? "EIO" : undefined;
    bench.add(1);
    bench.run();
    assert.equal(bench.index.failure?.code, "EIO");
    assert.equal(bench.index.stalledAt, undefined);
    bench.host.files.fault = () => undefined;
    bench.run();
    assert.deepEqual([bench.index.failure, bench.index.indexedTo], [undefined, 100]);
    assert.equal(bench.host.armed, 0);
  });

  it("that failed is tried again although nothing comes any more, and then nobody waits for anything", () => {
    const bench = new Bench();
    bench.host.files.fault = (what, path) =>
      what === "sync" && path.startsWith("/index") ? "EIO" : undefined;
    bench.add(1);
    bench.run();
    bench.host.advance(12_000);
    assert.equal(bench.index.failure?.code, "EIO");
    bench.host.files.fault = () => undefined;
    bench.host.advance(60_000);
    assert.deepEqual([bench.index.failure, bench.index.indexedTo, bench.host.armed], [undefined, 100, 0]);
  });

  it("that goes on failing is tried ever more seldom, and not after the end", () => {
    const bench = new Bench();
    let tries = 0;
    bench.host.files.fault = (what, path) => {
      if (what !== "sync" || !path.startsWith("/index")) return undefined;
      tries += 1;
      return "EIO";
    };
    bench.add(1);
    bench.run();
    bench.host.advance(5 * 60_000);
    // At once, then after 5, 10, 20, 40 and 60 seconds, and every 60.
    assert.deepEqual([tries, bench.host.armed], [8, 1]);
    bench.flush.abort();
    assert.equal(bench.host.armed, 0);
  });

  it("is not tried again by itself when it is nobody's turn to write", () => {
    const bench = new Bench();
    const flush = new IndexFlush(
      bench.index,
      () => undefined,
      () => undefined,
    );
    bench.host.files.fault = (what) => (what === "sync" ? "EIO" : undefined);
    bench.add(1);
    flush.run(bench.position, () => undefined);
    bench.host.settle();
    const { operations } = bench.host.files;
    const before = operations.length;
    bench.host.advance(60_000);
    assert.equal(operations.length, before);
  });
});
