/**
 * Single records and their times by position: what lookups by offset and by time are made of. For its time a
 * record is read alone, not with its whole block, and checked like any other: a wrong time would lead a consumer
 * past messages.
 */
import type { HostError } from "@orbitmq/host";
import { RECORD_BYTES_MIN, RecordField, readInt64, storeTimestampAt } from "@orbitmq/wire";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import { FileUnits, type UnitRun } from "../consume-queue/queue-units.ts";
import type { MessageReader } from "./message-reader.ts";
import { whatIsWrong } from "./record-check.ts";
import { type RecordRead, readStored } from "./stored-record.ts";

export class RecordLookup {
  readonly #reader: MessageReader;
  readonly #segments: SegmentSet;

  constructor(reader: MessageReader, segments: SegmentSet) {
    this.#reader = reader;
    this.#segments = segments;
  }

  /** A copy of the record at `position`, which must end at or below `limit`; `undefined` when no whole record starts there. */
  record(position: number, limit: number, done: RecordRead): void {
    const { parts, admission } = this.#reader;
    if (parts.tail.find(position) !== undefined) {
      readStored(parts, position, limit, done);
      return;
    }
    admission.enter(() => {
      readStored(parts, position, limit, (record, reason, isGone, isDamaged) => {
        admission.leave();
        done(record, reason, isGone, isDamaged);
      });
    });
  }

  /** Store timestamp of the queue's message at `offset`; -1 when there is none or it cannot be read. */
  timestamp(queue: ConsumeQueue, offset: number, done: (timestampMs: number) => void): void {
    if (offset < queue.minOffset || offset >= queue.end) {
      done(-1);
      return;
    }
    const { tail, units } = this.#reader.parts;
    const run = units.inMemory(queue, offset);
    if (run === undefined) {
      units.load(queue, offset, (error) => {
        if (error !== undefined || units.inMemory(queue, offset) === undefined) done(-1);
        else this.timestamp(queue, offset, done);
      });
      return;
    }
    if (run instanceof FileUnits && !run.isSure(offset)) {
      this.#settle(queue, run, offset, done);
      return;
    }
    const position = run.physicalOffsetAt(offset);
    const slab = tail.find(position);
    if (slab === undefined) this.#readTime(queue, run, offset, done);
    else done(timestampIn(slab.bytes, position - slab.start, position));
  }

  #settle(queue: ConsumeQueue, run: FileUnits, offset: number, done: (timestampMs: number) => void): void {
    const { admission, parts } = this.#reader;
    admission.enter(() => {
      parts.settling.settle(queue, run, offset, () => {
        admission.leave();
        if (run.lostAt(offset) !== undefined) done(-1);
        else this.#readTime(queue, run, offset, done);
      });
    });
  }

  #readTime(queue: ConsumeQueue, run: UnitRun, offset: number, done: (timestampMs: number) => void): void {
    const position = run.physicalOffsetAt(offset);
    const size = run.sizeAt(offset);
    const segment = this.#segments.at(position);
    const isThere =
      segment !== undefined &&
      position >= this.#reader.parts.logStart() &&
      size >= RECORD_BYTES_MIN &&
      position + size <= segment.start + this.#segments.segmentBytes;
    if (!isThere) {
      done(-1);
      return;
    }
    const record = Buffer.allocUnsafe(size);
    const answer = (error: HostError | undefined, count: number): void => {
      if (error !== undefined || count < size) {
        done(-1);
        return;
      }
      const expected = { queueId: queue.queueId, topicBytes: Buffer.from(queue.topic) };
      const wrong = whatIsWrong(record, 0, size, position, offset, expected);
      done(wrong === undefined ? timestampIn(record, 0, position) : -1);
    };
    try {
      this.#segments.reader(segment).read("cold", record, position - segment.start, answer);
    } catch (error) {
      answer(error as HostError, 0);
    }
  }
}

function timestampIn(bytes: Buffer, at: number, position: number): number {
  if (readInt64(bytes, at + RecordField.PHYSICAL_OFFSET) !== position) return -1;
  return readInt64(bytes, at + storeTimestampAt(bytes.readInt32BE(at + RecordField.SYS_FLAG)));
}
