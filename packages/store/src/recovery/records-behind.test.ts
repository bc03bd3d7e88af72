import assert from "node:assert/strict";
import { it } from "node:test";
import { LogFolders } from "../commit-log/log-folders.ts";
import { SegmentSet } from "../commit-log/segment-set.ts";
import { OpenFileCache } from "../open-file-cache.ts";
import { HOME, message, StoreDriver } from "../testing/store-driver.ts";
import { recordsBehind } from "./records-behind.ts";

const MIB = 1024 * 1024;

/** The log of `count` messages with bodies of `bodyBytes`, and where each of them lies. */
async function log(segmentBytes: number, count: number, bodyBytes: number) {
  const driver = await StoreDriver.open({ mappedFileSizeCommitLog: segmentBytes });
  const positions = Array.from(
    { length: count },
    (_, index) => driver.sendNow(message(`${index}`.padEnd(bodyBytes, "."))).physicalOffset,
  );
  const { files } = driver.host;
  const folders = new LogFolders(`${HOME}/commitlog`, "");
  const segments = new SegmentSet(files, folders, segmentBytes, new OpenFileCache(files, 16));
  segments.load(Number.POSITIVE_INFINITY);
  return { segments, positions };
}

it("whole records are found behind a bad one, across segments", async () => {
  const { segments, positions } = await log(16 * 1024, 60, 600);
  const found = recordsBehind(segments, positions[3]! + 1, segments.fileEnd);
  assert.deepEqual([found?.count, found?.first], [56, positions[4]]);
  assert.ok(found!.end > positions[59]!);
});

it("whole records are found wherever a read of the log is cut", async () => {
  const { segments, positions } = await log(4 * MIB, 700, 3000);
  const cuts = positions.filter((position) => position > MIB).slice(0, 45);
  for (const [index, position] of cuts.entries()) {
    // The first read ends some bytes behind the start of the record.
    const from = position - MIB + index;
    const expected = positions.filter((each) => each >= from);
    const found = recordsBehind(segments, from, 4 * MIB);
    assert.deepEqual([found?.count, found?.first], [expected.length, expected[0]], `${index} bytes behind`);
  }
});

it("nothing is found behind the last record, nor at or behind the limit", async () => {
  const { segments, positions } = await log(16 * 1024, 10, 600);
  assert.equal(recordsBehind(segments, positions[9]! + 1, segments.fileEnd), undefined);
  assert.equal(recordsBehind(segments, positions[8]! + 1, positions[9]!), undefined);
});
