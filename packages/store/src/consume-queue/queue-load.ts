/**
 * Finds the queues on disk at start, and where each of them ends (RocketMQ: ConsumeQueue.load and recover). The
 * units of a queue lie one behind the other, so their end is found by bisection: a unit counts when it is filled
 * and its record lies below a limit, the offset up to which the queues are known to be on disk.
 *
 * A queue whose files have gaps, or whose newest unit is not what the log says, is `damaged`: it is emptied, to
 * be built again from the log.
 */
import { type Files, HostError } from "@orbitmq/host";
import { RecordField, readInt64 } from "@orbitmq/wire";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import type { Slices } from "../slices.ts";
import { BLANK_UNIT_SIZE, type ConsumeQueue, UNIT_BYTES } from "./consume-queue.ts";
import type { ConsumeQueueFiles } from "./consume-queue-files.ts";
import type { QueueTable } from "./queue-table.ts";

/** Queues that are looked into in one slice. */
export const SLICE_QUEUES = 64;

export interface QueueLoadParts {
  readonly files: Files;
  readonly queueFiles: ConsumeQueueFiles;
  readonly segments: SegmentSet;
  readonly table: QueueTable;
  /** Takes one past the last unit that a file has behind the end found for its queue, where it has any. */
  readonly claims?: Map<ConsumeQueue, number>;
}

/** Loads every queue with the units whose records lie below `limit`; returns the damaged ones, emptied. */
export function* loadQueues(parts: QueueLoadParts, limit: number): Slices<ConsumeQueue[]> {
  const { files, queueFiles, table } = parts;
  const damaged: ConsumeQueue[] = [];
  let looked = 0;
  for (const topic of files.listSync(queueFiles.root)) {
    if (files.statSync(`${queueFiles.root}/${topic}`)?.isFolder !== true) continue;
    for (const name of files.listSync(`${queueFiles.root}/${topic}`)) {
      const queueId = Number(name);
      if (!/^\d{1,9}$/.test(name) || files.statSync(queueFiles.folder(topic, queueId))?.isFolder !== true)
        continue;
      const queue = table.findOrCreate(topic, queueId);
      if (!loadQueue(parts, queue, limit)) damaged.push(queue);
      looked += 1;
      if (looked % SLICE_QUEUES === 0) yield;
    }
  }
  return damaged;
}

/** Sets the queue to its units whose records lie below `limit`; `false`, and an empty queue, when it is damaged. */
export function loadQueue(parts: QueueLoadParts, queue: ConsumeQueue, limit: number): boolean {
  const { queueFiles } = parts;
  const { fileUnits } = queueFiles;
  const starts = queueFiles.listFiles(queue.topic, queue.queueId);
  queue.load(0, 0);
  for (let index = 1; index < starts.length; index += 1) {
    if (starts[index]! - starts[index - 1]! !== fileUnits) return emptied(parts, queue);
  }
  const first = starts[0];
  if (first === undefined) return true;
  if (!queueFiles.completeFiles(queue.topic, queue.queueId, starts)) return emptied(parts, queue);
  const unit = new UnitReader(queueFiles, queue);
  let end = first;
  for (let index = starts.length - 1; index >= 0 && end === first; index -= 1) {
    const start = starts[index]!;
    end = bisect(start, start + fileUnits, (offset) => unit.isBelow(offset, limit));
    if (end > start) break;
    end = first;
  }
  if (end > first && unit.isMessage(end - 1) && !matchesLog(parts.segments, unit, end - 1)) {
    return emptied(parts, queue);
  }
  const { minOffset } = parts.segments;
  const min = bisect(first, end, (offset) => !unit.isMessage(offset) || unit.positionAt(offset) < minOffset);
  if (min > first && !isPassable(unit, first, min - 1, minOffset)) return emptied(parts, queue);
  queue.load(min, end);
  const reach = claimedEnd(queueFiles, queue, first);
  if (reach > end) parts.claims?.set(queue, reach);
  return true;
}

/** Whether the unit before the first message is one that may be passed over: a damaged one must not hide messages. */
function isPassable(unit: UnitReader, first: number, last: number, minOffset: number): boolean {
  if (!unit.isMessage(last)) return unit.positionAt(last) === 0;
  const isBefore = (offset: number) => !unit.isMessage(offset) || unit.positionAt(offset) < minOffset;
  return unit.positionAt(last) >= 0 && (last === first || isBefore(last - 1));
}

/** One past the last unit that is not empty, in the block of the queue's end. */
function claimedEnd(files: ConsumeQueueFiles, queue: ConsumeQueue, first: number): number {
  const { end } = queue;
  const blockEnd = files.checksums.blockEnd(files.checksums.blockStart(end));
  if (end === first && end === blockEnd) return end;
  const bytes = Buffer.alloc((blockEnd - end) * UNIT_BYTES);
  try {
    files.readSync(queue, end, bytes);
  } catch (error) {
    // A queue that ends with its file has no next one.
    if (error instanceof HostError && error.code === "ENOENT") return end;
    throw error;
  }
  let last = bytes.length;
  while (last > 0 && bytes[last - 1] === 0) last -= 1;
  return end + Math.ceil(last / UNIT_BYTES);
}

/** Removes everything there is of the queue. */
export function emptied({ queueFiles }: QueueLoadParts, queue: ConsumeQueue): false {
  queueFiles.removeFiles(queue.topic, queue.queueId);
  queue.load(0, 0);
  return false;
}

/** Position of the newest record that the queue's files know; -1 when there is none. */
export function newestPosition({ queueFiles }: QueueLoadParts, queue: ConsumeQueue): number {
  if (queue.end === queue.minOffset) return -1;
  return new UnitReader(queueFiles, queue).positionAt(queue.end - 1);
}

/** First queue offset whose record lies at or behind `position`; the queue's end when there is none. Blocking. */
export function firstUnitBehind(files: ConsumeQueueFiles, queue: ConsumeQueue, position: number): number {
  const { minOffset, ringStart, end } = queue;
  const unit = new UnitReader(files, queue);
  const positionAt = (offset: number) =>
    offset >= ringStart ? queue.physicalOffsetAt(offset) : unit.positionAt(offset);
  const isMessage = (offset: number) =>
    offset >= ringStart ? queue.sizeAt(offset) !== BLANK_UNIT_SIZE : unit.isMessage(offset);
  const search = (high: number) => bisect(minOffset, high, (offset) => positionAt(offset) < position);
  const inRing = ringStart > minOffset && ringStart < end && positionAt(ringStart) < position;
  let found = inRing ? bisect(ringStart, end, (offset) => positionAt(offset) < position) : search(end);
  // Units that stand for no message lie at position 0: one between messages may have led the bisection too far.
  for (let before = found - 1; before >= minOffset; before -= 1) {
    if (!isMessage(before)) continue;
    if (positionAt(before) < position) break;
    found = search(before);
    before = found;
  }
  return found;
}

/** Where the record of a unit in the queue's file lies. Blocking. */
export function unitPosition(files: ConsumeQueueFiles, queue: ConsumeQueue, offset: number): number {
  return new UnitReader(files, queue).positionAt(offset);
}

/** First offset in [low, high) that `isBefore` denies, or `high`; `isBefore` must be true up to there and false from there. */
function bisect(low: number, high: number, isBefore: (offset: number) => boolean): number {
  while (low < high) {
    const middle = low + Math.floor((high - low) / 2);
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class UnitReader {
  readonly #files: ConsumeQueueFiles;
  readonly #queue: ConsumeQueue;
  readonly #unit = Buffer.alloc(UNIT_BYTES);
  #offset = -1;

  constructor(files: ConsumeQueueFiles, queue: ConsumeQueue) {
    this.#files = files;
    this.#queue = queue;
  }

  positionAt(offset: number): number {
    this.#read(offset);
    return readInt64(this.#unit, 0);
  }

  sizeAt(offset: number): number {
    this.#read(offset);
    return this.#unit.readInt32BE(8);
  }

  isMessage(offset: number): boolean {
    return this.sizeAt(offset) !== BLANK_UNIT_SIZE;
  }

  isBelow(offset: number, limit: number): boolean {
    return this.sizeAt(offset) > 0 && this.positionAt(offset) >= 0 && this.positionAt(offset) < limit;
  }

  #read(offset: number): void {
    if (offset === this.#offset) return;
    this.#files.readSync(this.#queue, offset, this.#unit);
    this.#offset = offset;
  }
}

/** Whether the record a unit points at says the same about itself. A record that is no longer stored counts as such. */
export function matchesLog(segments: SegmentSet, unit: UnitReader, offset: number): boolean {
  const position = unit.positionAt(offset);
  if (position < segments.minOffset) return true;
  const segment = segments.at(position);
  if (segment === undefined) return false;
  const head = Buffer.alloc(RecordField.SYS_FLAG);
  const count = segments.reader(segment).readSync(head, position - segment.start);
  return (
    count === head.length &&
    head.readInt32BE(RecordField.TOTAL_SIZE) === unit.sizeAt(offset) &&
    readInt64(head, RecordField.PHYSICAL_OFFSET) === position &&
    readInt64(head, RecordField.QUEUE_OFFSET) === offset
  );
}
