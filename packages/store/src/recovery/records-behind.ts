/**
 * Looks for whole records behind the place where a log ends in something that is no record. A power loss leaves them
 * there: pages reach the disk in any order, and nothing behind the mark can be called damaged for that. So does a
 * flipped bit in a record that was on disk, and then what follows was acknowledged. The two cannot be told apart, the
 * log is cut at that place either way; but it is said aloud.
 */
import { checkRecord, MAGIC_V1, MAGIC_V2, RECORD_BYTES_MIN, RecordField, readInt64 } from "@orbitmq/wire";
import { checkSeal } from "../commit-log/record-seal.ts";
import type { Segment, SegmentSet } from "../commit-log/segment-set.ts";

export interface RecordsBehind {
  readonly count: number;
  /** Of the first of them. */
  readonly first: number;
  /** Behind the last of them. */
  readonly end: number;
}

/** Up to the end of its physical offset. */
const HEAD_BYTES = RecordField.PHYSICAL_OFFSET + 8;
const CHUNK_BYTES = 1024 * 1024;
/** Heads that turn out to be no record's, after which the search ends: a body may be full of them. */
const WRONG_MAX = 1000;
/** The bytes that both magic numbers begin with. */
const MAGIC_PREFIX = Buffer.alloc(4);
MAGIC_PREFIX.writeInt32BE(MAGIC_V1);

/** Whole records that begin in [from, limit), at their own positions; `undefined` when there is none. Blocking. Throws HostError. */
export function recordsBehind(segments: SegmentSet, from: number, limit: number): RecordsBehind | undefined {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, segments.segmentBytes));
  let found: RecordsBehind | undefined;
  let wrong = 0;
  for (let position = from; position < limit; ) {
    const segment = segments.at(position);
    if (segment === undefined) break;
    const at = position - segment.start;
    const part = chunk.subarray(0, Math.min(chunk.length, segments.segmentBytes - at));
    const bytes = part.subarray(0, segments.reader(segment).readSync(part, at));
    let next = 0;
    for (let place = headFrom(bytes, next, position); place >= 0; place = headFrom(bytes, next, position)) {
      const start = position + place;
      if (start >= limit) return found;
      const size = wholeRecordAt(segments, segment, start);
      next = place + Math.max(size, 1);
      if (size > 0) {
        found = { count: (found?.count ?? 0) + 1, first: found?.first ?? start, end: start + size };
      } else if (++wrong === WRONG_MAX) return found;
    }
    const isLast = at + part.length === segments.segmentBytes;
    // A head that the chunk's end cuts through is looked at once more, from its start.
    position += Math.max(next, isLast ? part.length : part.length - HEAD_BYTES);
  }
  return found;
}

/** Index of the next head, from `index` on, that says it lies where it does; -1 when there is none. `bytes` begin at `position`. */
function headFrom(bytes: Buffer, index: number, position: number): number {
  for (let from = index + RecordField.MAGIC; ; from += 1) {
    from = bytes.indexOf(MAGIC_PREFIX.subarray(0, 3), from);
    const place = from - RecordField.MAGIC;
    if (from < 0 || place + HEAD_BYTES > bytes.length) return -1;
    const magic = bytes.readInt32BE(from);
    const isMagic = magic === MAGIC_V1 || magic === MAGIC_V2;
    if (isMagic && readInt64(bytes, place + RecordField.PHYSICAL_OFFSET) === position + place) return place;
  }
}

/** Its size, or 0 when there is no whole record of that place. */
function wholeRecordAt(segments: SegmentSet, segment: Segment, position: number): number {
  const file = segments.reader(segment);
  const at = position - segment.start;
  const head = Buffer.alloc(4);
  file.readSync(head, at);
  const size = head.readInt32BE(0);
  if (size < RECORD_BYTES_MIN || size > segments.segmentBytes - at) return 0;
  const bytes = Buffer.alloc(size);
  if (file.readSync(bytes, at) < size) return 0;
  const { kind } = checkRecord(bytes, 0, size, { physicalOffset: position });
  return kind === "record" && checkSeal(bytes, 0, size) !== "wrong" ? size : 0;
}
