import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OpenFileCache } from "../open-file-cache.ts";
import { FakeHost } from "../testing/fake-host.ts";
import { LogFolders } from "./log-folders.ts";
import { SegmentSet } from "./segment-set.ts";

function newSet() {
  const { files } = new FakeHost();
  files.makeFolderSync("/log");
  const folders = new LogFolders("/log", "");
  return { files, segments: new SegmentSet(files, folders, 4096, new OpenFileCache(files, 4)) };
}

describe("SegmentSet", () => {
  it("has the name of a segment on disk before it makes the next one: a power loss leaves no gap", () => {
    const { files, segments } = newSet();
    segments.create(0);
    segments.create(4096);
    const kinds = files.operations.map(({ kind }) => kind).filter((kind) => kind !== "truncate");
    assert.deepEqual(kinds.slice(-3), ["create", "syncFolder", "create"]);
    assert.deepEqual(
      segments.all.map(({ unlisted }) => unlisted),
      [false, true],
    );
  });

  it("makes no segment while the name of the one before cannot be made durable", () => {
    const { files, segments } = newSet();
    segments.create(0);
    files.fault = (what) => (what === "sync" ? "EIO" : undefined);
    assert.throws(() => segments.create(4096), { code: "EIO" });
    assert.equal(segments.fileEnd, 4096);
  });
});
