/**
 * Puts the end of a log right after a stop that was not orderly, blocking. What a torn write, a crash or another
 * broker has left behind the last record becomes zeros, so that it cannot pass for records when the log grows
 * over it. What was read behind the flushed mark is written again and synced: after a failed sync the page cache
 * holds valid bytes that are not on disk and that no later sync would carry there.
 */
import type { OpenFile } from "@orbitmq/host";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import type { Filling } from "./log-scan.ts";

const CHUNK_BYTES = 1024 * 1024;

/**
 * Zeroes what is not zero in [end, limit) and removes segments that start behind `end`; writes [from, end) again,
 * except `fillings`, which may be holes that a full disk has no room for. Where nobody knows a limit, the file is cut
 * at `end` and made long again: zeros without reading a gibibyte of them. All is on disk afterwards. Returns how many
 * bytes were, or may have been, something else. Throws HostError.
 */
export function repairTail(
  segments: SegmentSet,
  positions: { readonly from: number; readonly end: number; readonly limit: number },
  fillings: readonly Filling[] = [],
): number {
  const { from, end, limit } = positions;
  // Before a file is cut: a short one is no damage only where no other follows.
  segments.removeFrom(end + 1);
  segments.syncFoldersSync();
  const touched = new Set<OpenFile>();
  let next = from;
  for (const filling of [...fillings, { start: end, end }]) {
    forEachChunk(segments, next, Math.min(filling.start, end), (writer, bytes, at) => {
      writer.writeSync(bytes, at);
      touched.add(writer);
    });
    next = Math.max(next, filling.end);
  }
  let cleared = 0;
  const segment = segments.at(end);
  const segmentEnd = segment === undefined ? end : segment.start + segments.segmentBytes;
  if (limit === Number.POSITIVE_INFINITY && segment !== undefined) {
    const writer = segments.writer(segment);
    writer.truncateSync(end - segment.start);
    writer.truncateSync(segments.segmentBytes);
    touched.add(writer);
    cleared = segmentEnd - end;
  }
  const zerosTo = cleared > 0 ? end : Math.min(limit, segmentEnd);
  const zeros = Buffer.alloc(Math.max(0, Math.min(CHUNK_BYTES, zerosTo - end)));
  forEachChunk(segments, end, zerosTo, (writer, bytes, at) => {
    const blank = zeros.subarray(0, bytes.length);
    if (bytes.equals(blank)) return;
    cleared += bytes.length;
    writer.writeSync(blank, at);
    touched.add(writer);
  });
  for (const writer of touched) writer.fdatasyncSync();
  return cleared;
}

/** Reads [from, to) in chunks that lie in one segment each. */
function forEachChunk(
  segments: SegmentSet,
  from: number,
  to: number,
  visit: (writer: OpenFile, bytes: Buffer, at: number) => void,
): void {
  const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(CHUNK_BYTES, segments.segmentBytes, to - from)));
  for (let position = from; position < to; ) {
    const segment = segments.at(position);
    if (segment === undefined) return;
    const at = position - segment.start;
    const length = Math.min(buffer.length, to - position, segments.segmentBytes - at);
    const bytes = buffer.subarray(0, length);
    const writer = segments.writer(segment);
    const count = writer.readSync(bytes, at);
    bytes.fill(0, count);
    visit(writer, bytes, at);
    position += length;
  }
}
