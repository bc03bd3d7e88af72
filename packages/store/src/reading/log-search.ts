/**
 * Looks through a part of the log for a record: for that of one queue offset, when the queue unit that should tell its
 * place is damaged, or for the first that is whole. Where the chain of records is broken it goes on at the next place
 * that holds a whole record of exactly that position.
 */
import { checkRecord, MAGIC_BLANK, MAGIC_V1, RECORD_BYTES_MIN, RecordField } from "@orbitmq/wire";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { ColdBlocks } from "./cold-blocks.ts";
import { whatIsDamaged, whatIsWrong } from "./record-check.ts";

export interface SearchResult {
  readonly record: Buffer | undefined;
  /** Where the record lies. */
  readonly position: number;
  /** First place where a record should be and none can be read; -1 when everything could be read. */
  readonly brokenAt: number;
  readonly reason: string;
}

interface SearchParts {
  readonly cold: ColdBlocks;
  readonly segmentBytes: number;
}

/** Whether the whole record of `size` bytes at `bytes[at]`, which lies at `position` of the log, is the one. */
type IsWanted = (bytes: Buffer, at: number, size: number, position: number) => boolean;

const WINDOW_BYTES = 64 * 1024;
/** What both versions' magic numbers begin with. */
const MAGIC_HEAD = Buffer.alloc(3);
MAGIC_HEAD.writeUIntBE(Math.floor((MAGIC_V1 >>> 0) / 256), 0, 3);

/** Looks for the record of the queue's `offset`; `done` may be called at once. */
export function searchLog(
  parts: SearchParts,
  from: number,
  to: number,
  queue: ConsumeQueue,
  offset: number,
  done: (result: SearchResult) => void,
): void {
  const expected = { queueId: queue.queueId, topicBytes: Buffer.from(queue.topic) };
  const isWanted: IsWanted = (bytes, at, size, position) =>
    whatIsWrong(bytes, at, size, position, offset, expected) === undefined;
  new LogSearch(parts, from, to, isWanted, done).step();
}

/** Looks for the first whole record; `done` may be called at once. */
export function searchAnyRecord(
  parts: SearchParts,
  from: number,
  to: number,
  done: (result: SearchResult) => void,
): void {
  new LogSearch(parts, from, to, () => true, done).step();
}

class LogSearch {
  readonly #parts: SearchParts;
  readonly #to: number;
  readonly #isWanted: IsWanted;
  readonly #done: (result: SearchResult) => void;
  #position: number;
  #brokenAt = -1;
  #reason = "";
  /** Reading goes on byte by byte until a record is found. */
  #isLost = false;
  #isStepping = false;
  #isReady = false;

  constructor(
    parts: SearchParts,
    from: number,
    to: number,
    isWanted: IsWanted,
    done: (result: SearchResult) => void,
  ) {
    this.#parts = parts;
    this.#position = from;
    this.#to = to;
    this.#isWanted = isWanted;
    this.#done = done;
  }

  /** Reads on; a loop where the disk answers at once. */
  step(): void {
    this.#isReady = true;
    if (this.#isStepping) return;
    this.#isStepping = true;
    while (this.#isReady) {
      this.#isReady = false;
      this.#read(WINDOW_BYTES);
    }
    this.#isStepping = false;
  }

  #read(bytesMin: number): void {
    const start = this.#position;
    if (start >= this.#to) {
      this.#finish(undefined, -1);
      return;
    }
    const segmentEnd = start - (start % this.#parts.segmentBytes) + this.#parts.segmentBytes;
    const length = Math.min(bytesMin, segmentEnd - start, this.#to - start);
    this.#parts.cold.assemble(start, length, (error, bytes) => {
      if (error !== undefined) {
        this.#broken(start, error.message);
        // What the disk does not give is passed over a page at a time.
        this.#position = Math.min(start - (start % 4096) + 4096, segmentEnd);
        this.#isLost = this.#position < segmentEnd;
        this.step();
        return;
      }
      const needed = this.#isLost
        ? this.#resume(bytes, start, segmentEnd)
        : this.#walk(bytes, start, segmentEnd);
      if (needed < 0) return;
      if (needed > bytes.length && needed > bytesMin) this.#read(needed);
      else this.step();
    });
  }

  /** Goes from record to record; returns how many bytes the next one needs, 0 when any number will do, -1 when it is over. */
  #walk(bytes: Buffer, start: number, segmentEnd: number): number {
    for (;;) {
      const at = this.#position - start;
      const position = this.#position;
      const left = Math.min(segmentEnd, this.#to) - position;
      if (left <= 0) return 0;
      if (bytes.length - at < 8) return left < 8 ? this.#lose(position, "there is no room for a record") : 8;
      const size = bytes.readInt32BE(at);
      if (bytes.readInt32BE(at + RecordField.MAGIC) === MAGIC_BLANK && size === segmentEnd - position) {
        this.#position = segmentEnd;
        return 0;
      }
      if (size < RECORD_BYTES_MIN || size > left) return this.#lose(position, `its size is ${size}`);
      if (size > bytes.length - at) return at === 0 ? size : 0;
      const damage = whatIsDamaged(bytes, at, size, position);
      if (damage !== undefined) return this.#lose(position, damage);
      if (this.#isWanted(bytes, at, size, position)) {
        this.#finish(Buffer.from(bytes.subarray(at, at + size)), position);
        return -1;
      }
      this.#position += size;
    }
  }

  #lose(position: number, reason: string): number {
    this.#broken(position, reason);
    this.#position = position + 1;
    this.#isLost = true;
    return 0;
  }

  /** Looks for the next whole record; returns as `#walk`. */
  #resume(bytes: Buffer, start: number, segmentEnd: number): number {
    for (
      let magicAt = bytes.indexOf(MAGIC_HEAD);
      magicAt >= 0;
      magicAt = bytes.indexOf(MAGIC_HEAD, magicAt + 1)
    ) {
      const at = magicAt - 4;
      if (at < 0) continue;
      const check = checkRecord(bytes, at, bytes.length, { physicalOffset: start + at });
      const isShort = check.kind === "short" && start + at + check.size <= Math.min(segmentEnd, this.#to);
      if (check.kind !== "record" && !(isShort && at > 0)) {
        if (!isShort) continue;
        return check.size;
      }
      this.#position = start + at;
      this.#isLost = isShort;
      return 0;
    }
    // The last bytes may be the beginning of a record's head.
    const isEnd = start + bytes.length >= Math.min(segmentEnd, this.#to);
    this.#position = isEnd ? Math.min(segmentEnd, this.#to) : start + Math.max(1, bytes.length - 7);
    if (this.#position === segmentEnd) this.#isLost = false;
    return 0;
  }

  #broken(position: number, reason: string): void {
    if (this.#brokenAt >= 0) return;
    this.#brokenAt = position;
    this.#reason = reason;
  }

  #finish(record: Buffer | undefined, position: number): void {
    this.#done({ record, position, brokenAt: this.#brokenAt, reason: this.#reason });
  }
}
