import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LogFolders } from "../commit-log/log-folders.ts";
import { SegmentSet } from "../commit-log/segment-set.ts";
import { SlabPool } from "../commit-log/slab.ts";
import { OpenFileCache } from "../open-file-cache.ts";
import { FakeHost } from "../testing/fake-host.ts";
import { ColdBlocks } from "./cold-blocks.ts";

/** A log of two segments of 1000 bytes, byte n holding n % 251, of which `written` bytes are written. */
function log() {
  const host = new FakeHost();
  const { files } = host;
  files.makeFolderSync("/log");
  const segments = new SegmentSet(files, new LogFolders("/log", ""), 1000, new OpenFileCache(files, 4));
  for (const start of [0, 1000]) {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, at) => (start + at) % 251));
    segments.create(start).writer!.writeSync(bytes, 0);
  }
  const state = { written: 2000 };
  const cold = new ColdBlocks(segments, new SlabPool(256), 1024, () => state.written);
  const assembled = (position: number, length: number) => {
    let result: Buffer | undefined;
    cold.assemble(position, length, (error, bytes) => {
      assert.equal(error, undefined);
      result = bytes;
    });
    host.settle();
    assert.ok(result !== undefined);
    return result;
  };
  return { host, files, cold, state, assembled };
}

const expected = (position: number, length: number) =>
  Buffer.from(Array.from({ length }, (_, at) => (position + at) % 251));

describe("cold blocks", () => {
  it("give every range, within a block, over several, up to a segment's end and across it", () => {
    const { assembled } = log();
    for (const [position, length] of [
      [0, 10],
      [250, 20],
      [0, 1000],
      [900, 100],
      [990, 30],
      [1500, 500],
      [767, 1],
    ] as const) {
      assert.deepEqual(assembled(position, length), expected(position, length));
    }
  });

  it("read a block once for all who ask at the same time", () => {
    const { host, files, cold } = log();
    files.held = true;
    let told = 0;
    for (let reader = 0; reader < 10; reader += 1) cold.load(10, 20, () => (told += 1));
    files.release();
    host.settle();
    assert.deepEqual([told, files.reads], [10, 1]);
    assert.ok(cold.cached(10, 256) !== undefined);
  });

  it("read the log's end again for who needs bytes that a read under way cannot bring", () => {
    const { host, files, cold, state } = log();
    state.written = 100;
    files.held = true;
    cold.load(0, 100, () => {});
    state.written = 200;
    let cached: unknown;
    cold.load(0, 200, () => {
      cached = cold.cached(150, 200);
    });
    files.release();
    host.settle();
    assert.ok(cached !== undefined);
  });

  it("keep at most two reads in flight and as many blocks as fit", () => {
    const { host, files, cold } = log();
    files.held = true;
    let answered = 0;
    for (const position of [0, 256, 512, 768, 1000, 1256])
      cold.load(position, position + 1, () => (answered += 1));
    host.settle();
    files.held = false;
    files.release();
    host.settle();
    assert.equal(answered, 6);
    const kept = [0, 256, 512, 768, 1000, 1256].filter((position) => cold.cached(position, position + 1));
    assert.deepEqual(kept, [512, 768, 1000, 1256]);
  });

  it("pass errors on and forget the block", () => {
    const { host, files, cold } = log();
    files.fault = (what) => (what === "read" ? "EIO" : undefined);
    let code: string | undefined;
    cold.load(0, 10, (error) => {
      code = error?.code;
    });
    host.settle();
    assert.equal(code, "EIO");
    assert.equal(cold.cached(0, 10), undefined);
    cold.load(5000, 5001, (error) => {
      code = error?.code;
    });
    host.settle();
    assert.equal(code, "ENOENT");
  });
});
