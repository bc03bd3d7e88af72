/**
 * Single records and their times by position: what lookups by offset and by time are made of. Only a few bytes
 * of a record are read for its time, not a whole block.
 */
import type { HostError } from "@orbitmq/host";
import { checkRecord, RECORD_BYTES_MIN, RecordField, readInt64, storeTimestampAt } from "@orbitmq/wire";
import { checkSeal } from "../commit-log/record-seal.ts";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { MessageReader } from "./message-reader.ts";

/** Reaches over the store timestamp of any record; no record is shorter. */
const HEAD_BYTES = RECORD_BYTES_MIN;

export class RecordLookup {
  readonly #reader: MessageReader;
  readonly #segments: SegmentSet;

  constructor(reader: MessageReader, segments: SegmentSet) {
    this.#reader = reader;
    this.#segments = segments;
  }

  /** A copy of the record at `position`, which must end at or below `limit`; `undefined` when no record starts there. */
  record(position: number, limit: number, done: (record: Uint8Array | undefined) => void): void {
    const { tail, cold, logStart } = this.#reader.parts;
    if (!Number.isSafeInteger(position) || position < logStart() || position + HEAD_BYTES > limit) {
      done(undefined);
      return;
    }
    const slab = tail.find(position);
    if (slab !== undefined) {
      const at = position - slab.start;
      const end = Math.min(slab.used, limit - slab.start);
      const check = checkRecord(slab.bytes, at, end, { physicalOffset: position });
      const isRecord = check.kind === "record";
      done(isRecord ? Uint8Array.from(slab.bytes.subarray(at, at + check.size)) : undefined);
      return;
    }
    const { admission } = this.#reader;
    const finish = (record: Uint8Array | undefined) => {
      admission.leave();
      done(record);
    };
    admission.enter(() => {
      cold.assemble(position, HEAD_BYTES, (error, head) => {
        if (error !== undefined) return finish(undefined);
        const size = head.readInt32BE(RecordField.TOTAL_SIZE);
        if (readInt64(head, RecordField.PHYSICAL_OFFSET) !== position) return finish(undefined);
        if (size < HEAD_BYTES || position + size > limit) return finish(undefined);
        cold.assemble(position, size, (failure, bytes) => {
          if (failure !== undefined) return finish(undefined);
          const check = checkRecord(bytes, 0, size, { physicalOffset: position });
          const whole = check.kind === "record" && checkSeal(bytes, 0, size) !== "wrong";
          finish(whole ? bytes : undefined);
        });
      });
    });
  }

  /** Store timestamp of the queue's message at `offset`; -1 when there is none or it cannot be read. */
  timestamp(queue: ConsumeQueue, offset: number, done: (timestampMs: number) => void): void {
    if (offset < queue.minOffset || offset >= queue.end) {
      done(-1);
      return;
    }
    const { tail, units, logStart } = this.#reader.parts;
    const run = units.inMemory(queue, offset);
    if (run === undefined) {
      units.load(queue, offset, (error) => {
        if (error !== undefined || units.inMemory(queue, offset) === undefined) done(-1);
        else this.timestamp(queue, offset, done);
      });
      return;
    }
    const position = run.physicalOffsetAt(offset);
    const slab = tail.find(position);
    if (slab !== undefined) {
      done(timestampIn(slab.bytes, position - slab.start, position));
      return;
    }
    const segment = this.#segments.at(position);
    if (segment === undefined || position < logStart() || run.sizeAt(offset) < HEAD_BYTES) {
      done(-1);
      return;
    }
    const head = Buffer.allocUnsafe(HEAD_BYTES);
    const answer = (error: HostError | undefined, count: number) =>
      done(error === undefined && count === HEAD_BYTES ? timestampIn(head, 0, position) : -1);
    try {
      this.#segments.reader(segment).read("cold", head, position - segment.start, answer);
    } catch (error) {
      answer(error as HostError, 0);
    }
  }
}

function timestampIn(bytes: Buffer, at: number, position: number): number {
  if (readInt64(bytes, at + RecordField.PHYSICAL_OFFSET) !== position) return -1;
  return readInt64(bytes, at + storeTimestampAt(bytes.readInt32BE(at + RecordField.SYS_FLAG)));
}
