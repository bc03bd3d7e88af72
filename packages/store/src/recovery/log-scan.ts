/**
 * Walks the log record by record, from disk, until its end: the place where no valid record begins. For recovery, at
 * once or in slices of a MiB. Every record is checked whole: structure, its own position, body checksum, and `__CRC32#` where
 * it carries one.
 */
import { checkRecord, MAGIC_BLANK, RecordField, readInt64, storeTimestampAt } from "@orbitmq/wire";
import { checkSeal, hasNoHoles, mayLackSeal } from "../commit-log/record-seal.ts";
import type { Segment, SegmentSet } from "../commit-log/segment-set.ts";
import { atOnce, type Slices } from "../slices.ts";
import { StoreError } from "../store-error.ts";

export interface ScanEnd {
  /** Where the next record goes. */
  readonly end: number;
  /** `clean`: zeros or the end of the files; `limit`: told to stop there; `bad`: something that is no record. */
  readonly kind: "clean" | "limit" | "bad";
  readonly reason: string;
  /** What lies behind the blanks that were met, up to their segment's end: never written, or of no meaning. */
  readonly fillings: readonly Filling[];
}

export interface Filling {
  readonly start: number;
  readonly end: number;
}

/** Called for every record, in order; the bytes are valid during the call. */
export type ScanVisitor = (bytes: Buffer, at: number, size: number, position: number) => void;

export interface ScanOptions {
  /** Stop at this position at the latest; it must be a record's start. */
  readonly limit: number;
  /** From here on all records are ours: one without `__CRC32#`, though it had room for it, did not wholly reach the disk. */
  readonly strictFrom: number;
  /** Below it records may lack `__CRC32#` all the same: they are looked at for holes; default: none may. */
  readonly unsealedTo?: number;
  /** Records without it that were stored after this time are looked at for such holes; default: none. */
  readonly strictAfterMs?: number;
  /** Asked at a place that holds no record: where the next one begins, when an operator has given this one up. */
  readonly passOver?: (position: number, reason: string) => number | undefined;
  /** Work between two slices, where what was visited gathers; told how far the scan has come. */
  readonly between?: (position: number) => Slices<void>;
}

const WINDOW_BYTES = 1024 * 1024;
/** Of one slice, or the record that is longer. */
const SLICE_BYTES = 1024 * 1024;

/** Bytes of the log around the scan's position. */
class Window {
  readonly #segments: SegmentSet;
  #storage = Buffer.alloc(0);
  bytes = this.#storage.subarray(0, 0);
  start = 0;

  constructor(segments: SegmentSet) {
    this.#segments = segments;
  }

  /** Index of `position`, with at least `bytesMin` bytes (or all that the segment has) behind it. */
  at(segment: Segment, position: number, bytesMin: number): number {
    const segmentEnd = segment.start + this.#segments.segmentBytes;
    const needed = Math.min(bytesMin, segmentEnd - position);
    if (position < this.start || position + needed > this.start + this.bytes.length) {
      const length = Math.min(Math.max(needed, WINDOW_BYTES), segmentEnd - position);
      if (this.#storage.length < length) this.#storage = Buffer.allocUnsafe(length);
      const part = this.#storage.subarray(0, length);
      const count = this.#segments.reader(segment).readSync(part, position - segment.start);
      part.fill(0, count);
      this.bytes = part;
      this.start = position;
    }
    return position - this.start;
  }
}

/** Blocking, all of it. */
export function scanLog(
  segments: SegmentSet,
  from: number,
  options: ScanOptions,
  visit: ScanVisitor,
): ScanEnd {
  return atOnce(scanSlices(segments, from, options, visit));
}

export function* scanSlices(
  segments: SegmentSet,
  from: number,
  options: ScanOptions,
  visit: ScanVisitor,
): Slices<ScanEnd> {
  const window = new Window(segments);
  let position = from;
  let sliceEnd = from + SLICE_BYTES;
  const fillings: Filling[] = [];
  const { strictAfterMs = Number.POSITIVE_INFINITY } = options;
  const ended = (kind: ScanEnd["kind"], reason: string): ScanEnd => ({
    end: position,
    kind,
    reason,
    fillings,
  });
  const bad = (reason: string) => ended("bad", reason);
  for (let ending: ScanEnd | undefined; ; ) {
    if (ending !== undefined) {
      const next = options.passOver?.(position, ending.reason);
      if (next === undefined || next <= position) return ending;
      ending = undefined;
      position = next;
    }
    if (position >= options.limit) return ended("limit", "");
    if (position >= sliceEnd) {
      yield;
      if (options.between !== undefined) yield* options.between(position);
      sliceEnd = position + SLICE_BYTES;
    }
    const segment = segments.at(position);
    if (segment === undefined) return ended("clean", "the files end there");
    const segmentEnd = segment.start + segments.segmentBytes;
    let at = window.at(segment, position, 8);
    if (segmentEnd - position < 8) {
      ending = bad("the segment has no room for a record");
      continue;
    }
    const size = window.bytes.readInt32BE(at);
    if (window.bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_BLANK) {
      if (size !== segmentEnd - position) {
        ending = bad(`a blank of ${size} bytes`);
        continue;
      }
      fillings.push({ start: position + 8, end: segmentEnd });
      position = segmentEnd;
      continue;
    }
    if (size > 0 && size <= segmentEnd - position) at = window.at(segment, position, size);
    const check = checkRecord(window.bytes, at, window.bytes.length, { physicalOffset: position });
    if (check.kind === "zero") {
      ending = ended("clean", "zeros follow");
      continue;
    }
    if (check.kind !== "record") {
      ending = bad(check.kind === "bad" ? check.reason : "it is cut off");
      continue;
    }
    const seal = checkSeal(window.bytes, at, check.size);
    if (seal === "wrong") {
      ending = bad("its __CRC32# does not match");
      continue;
    }
    if (seal === "absent") {
      const isOurs = position >= options.strictFrom;
      const isStrict = isOurs || storedAt(window.bytes, at) > strictAfterMs;
      const lacksSeal = isOurs && position >= (options.unsealedTo ?? 0) && !mayLackSeal(window.bytes, at);
      if (lacksSeal || (isStrict && !hasNoHoles(window.bytes, at, check.size))) {
        ending = bad("parts of it never reached the disk");
        continue;
      }
    }
    visit(window.bytes, at, check.size, position);
    position += check.size;
  }
}

/** What a scan that ended before `end` means where everything below `end` was on disk. */
export function unreadable(segments: SegmentSet, scanned: ScanEnd, end: number): StoreError {
  const segment = segments.at(scanned.end);
  const place = segment === undefined ? "" : ` (${segment.path}, byte ${scanned.end - segment.start})`;
  return new StoreError(
    "DAMAGED",
    `the record at offset ${scanned.end}${place} cannot be read: ${scanned.reason}; ` +
      `${end - scanned.end} bytes from there on were on disk before, bring the file back from a copy`,
  );
}

function storedAt(bytes: Buffer, at: number): number {
  return readInt64(bytes, at + storeTimestampAt(bytes.readInt32BE(at + RecordField.SYS_FLAG)));
}
