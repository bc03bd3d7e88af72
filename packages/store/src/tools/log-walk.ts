/**
 * Goes through a log record by record, from disk and blocking, and goes on behind what is damaged: at the next place
 * that holds a whole record of exactly that position. A body may hold what looks like a record; one that a queue
 * knows to lie elsewhere is none.
 */
import { HostError } from "@orbitmq/host";
import { checkRecord, MAGIC_BLANK, MAGIC_V1, RECORD_BYTES_MIN, RecordField } from "@orbitmq/wire";
import { checkSeal } from "../commit-log/record-seal.ts";
import { isDispatched, readDispatchFields } from "../dispatch/dispatch-fields.ts";
import type { StoreView } from "./store-view.ts";

export type LogEntry =
  /** Bytes are valid until the next entry. */
  | {
      readonly kind: "record";
      readonly position: number;
      readonly size: number;
      readonly bytes: Buffer;
      readonly at: number;
    }
  | { readonly kind: "damage"; readonly position: number; readonly end: number; readonly reason: string };

const WINDOW_BYTES = 1024 * 1024;
/** What both versions' magic numbers begin with. */
const MAGIC_HEAD = Buffer.alloc(3);
MAGIC_HEAD.writeUIntBE(Math.floor((MAGIC_V1 >>> 0) / 256), 0, 3);

/** Bytes of one segment around a position. */
class Window {
  readonly #view: StoreView;
  #storage = Buffer.alloc(0);
  bytes = this.#storage;
  #start = 0;

  constructor(view: StoreView) {
    this.#view = view;
  }

  /** Index of `position` in `bytes`, which then hold at least `bytesMin` bytes from there on, or all of the segment. Throws HostError. */
  at(position: number, bytesMin: number): number {
    const { segmentBytes, minOffset } = this.#view;
    const segmentEnd = position + segmentBytes - ((position - minOffset) % segmentBytes);
    const needed = Math.min(bytesMin, segmentEnd - position);
    if (position < this.#start || position + needed > this.#start + this.bytes.length) {
      const length = Math.min(Math.max(needed, WINDOW_BYTES), segmentEnd - position);
      if (this.#storage.length < length) this.#storage = Buffer.allocUnsafe(length);
      const part = this.#storage.subarray(0, length);
      part.fill(0, this.#view.readLog(position, part));
      this.bytes = part;
      this.#start = position;
    }
    return position - this.#start;
  }
}

/**
 * Records and damages in [from, to); `from` must be a record's start. Without `isEndKnown` zeros, or something that
 * is no record, end the walk: `to` is then only where the files end. Throws HostError.
 */
export function* walkLog(
  view: StoreView,
  from: number,
  to: number,
  isEndKnown: boolean,
): Generator<LogEntry> {
  const window = new Window(view);
  const { segmentBytes, minOffset } = view;
  for (let position = from; position < to; ) {
    const segmentEnd = position + segmentBytes - ((position - minOffset) % segmentBytes);
    let wrong: string;
    try {
      let at = window.at(position, 8);
      const size = window.bytes.length - at < 8 ? 0 : window.bytes.readInt32BE(at);
      const isBlank = size > 0 && window.bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_BLANK;
      if (isBlank && size === segmentEnd - position) {
        position = segmentEnd;
        continue;
      }
      if (size > 0 && size <= segmentEnd - position) at = window.at(position, size);
      const check = checkRecord(window.bytes, at, window.bytes.length, { physicalOffset: position });
      if (check.kind === "record" && checkSeal(window.bytes, at, check.size) !== "wrong") {
        yield { kind: "record", position, size: check.size, bytes: window.bytes, at };
        position += check.size;
        continue;
      }
      if (check.kind === "zero" && !isEndKnown) return;
      wrong = reasonOf(check);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (error.code === "ENOENT" && view.isGone(position)) {
        position = segmentEnd;
        continue;
      }
      wrong = error.message;
    }
    const end = nextRecord(view, position, to);
    if (end === undefined && !isEndKnown) return;
    yield { kind: "damage", position, end: end ?? to, reason: wrong };
    position = end ?? to;
  }
}

function reasonOf(check: ReturnType<typeof checkRecord>): string {
  if (check.kind === "bad") return check.reason;
  if (check.kind === "record") return "its __CRC32# does not match";
  return check.kind === "zero" ? "there are zeros" : `there is a ${check.kind} record`;
}

/** Where the log goes on behind the damaged record at `position`; `undefined` when nothing follows before `to`. */
export function nextRecord(view: StoreView, position: number, to: number): number | undefined {
  const window = new Window(view);
  const { segmentBytes, minOffset } = view;
  for (let start = position + 1; start < to; ) {
    const segmentEnd = start + segmentBytes - ((start - minOffset) % segmentBytes);
    let base: number;
    try {
      base = window.at(start, WINDOW_BYTES);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      // What the disk does not give is passed over a page at a time.
      start = Math.min(segmentEnd, start - (start % 4096) + 4096);
      continue;
    }
    const found = firstRecord(view, window.bytes, base, start, segmentEnd);
    if (found >= 0) return found < to ? found : undefined;
    const read = window.bytes.length - base;
    start = start + read >= segmentEnd ? segmentEnd : start + Math.max(1, read - 7);
    // A segment begins with a record, or the log has ended.
    if (start === segmentEnd && start < to) return start;
  }
  return undefined;
}

function firstRecord(
  view: StoreView,
  bytes: Buffer,
  base: number,
  start: number,
  segmentEnd: number,
): number {
  for (
    let magicAt = bytes.indexOf(MAGIC_HEAD, base);
    magicAt >= 0;
    magicAt = bytes.indexOf(MAGIC_HEAD, magicAt + 1)
  ) {
    const at = magicAt - 4;
    if (at < base) continue;
    const position = start + at - base;
    const whole = wholeRecord(view, bytes, at, position, segmentEnd);
    if (whole !== undefined && !isKnownElsewhere(view, whole.bytes, whole.at, position)) return position;
  }
  return -1;
}

/** The record that begins at `bytes[at]`, read on when it reaches over their end. */
function wholeRecord(
  view: StoreView,
  bytes: Buffer,
  at: number,
  position: number,
  segmentEnd: number,
): { bytes: Buffer; at: number } | undefined {
  const check = checkRecord(bytes, at, bytes.length, { physicalOffset: position });
  if (check.kind === "record")
    return checkSeal(bytes, at, check.size) === "wrong" ? undefined : { bytes, at };
  if (check.kind !== "short" || check.size < RECORD_BYTES_MIN || check.size > segmentEnd - position)
    return undefined;
  const record = Buffer.alloc(check.size);
  view.readLog(position, record);
  const again = checkRecord(record, 0, record.length, { physicalOffset: position });
  const isWhole = again.kind === "record" && checkSeal(record, 0, record.length) !== "wrong";
  return isWhole ? { bytes: record, at: 0 } : undefined;
}

/** Whether the record's queue knows another place for its offset: it then lies within the body of another. */
function isKnownElsewhere(view: StoreView, bytes: Buffer, at: number, position: number): boolean {
  const { topic, queueId, queueOffset, sysFlag } = readDispatchFields(bytes, at, []);
  if (!isDispatched(sysFlag)) return false;
  const unit = view.unitAt(topic, queueId, queueOffset);
  return unit !== undefined && unit.size > 0 && unit.position !== position;
}
