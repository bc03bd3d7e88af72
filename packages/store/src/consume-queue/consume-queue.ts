/**
 * One MessageQueue's index in memory (RocketMQ: ConsumeQueue): for each queue offset, where its record lies, how
 * long it is and its tags code. A ring holds the newest units exactly as they go to the file; those not yet on
 * disk and those whose records are in the hot tail stay in it, older ones are read from the file
 * (consume-queue-files.ts). The ring is a piece of the pool that the store's queues share.
 *
 *   minOffset ≤ end        ringStart ≤ synced ≤ written ≤ end ≤ nextOffset
 *
 *   unit: physicalOffset:i64 size:i32 tagsCode:i64      (20 bytes, big-endian)
 *
 * `end` is what readers may see; `nextOffset` is what the next append gets.
 */
import { assert } from "@orbitmq/host";
import { readInt64, writeInt64 } from "@orbitmq/wire";
import { type UnitChunk, UnitPool } from "./unit-pool.ts";

export const UNIT_BYTES = 20;
/** The size field of a unit that stands for no message. */
export const BLANK_UNIT_SIZE = 0x7fffffff;
const RING_UNITS_MIN = 4;

export class ConsumeQueue {
  readonly topic: string;
  readonly queueId: number;
  /** First offset whose record is still stored. */
  minOffset = 0;
  /** Where that record lies; -1 when nobody has looked yet. */
  minPosition = -1;
  /** No file of the queue begins at an earlier offset, as far as retention has looked. */
  filesFrom = 0;
  /** One past the newest unit. */
  end = 0;
  /** The next append's offset. */
  nextOffset = 0;
  /** Units below are in the file. */
  written = 0;
  /** Units below are on disk. */
  synced = 0;
  /** First offset in the ring; `end` when the ring is empty. */
  ringStart = 0;
  /** Listed for the next flush round. */
  dirty = false;
  /** CRC-32 of the units from the start of their block to `sumTo` (-1: not known); see unit-checksums.ts. */
  sum = 0;
  sumTo = -1;
  /** Its files are known to be as they were left (queue-check.ts). */
  checked = true;
  /** Its files are not; it is to be built again. */
  damaged = false;
  readonly #pool: UnitPool;
  /** Where the ring is, from `#base` on. */
  #chunk: UnitChunk | undefined;
  #base = 0;
  #mask = 0;

  constructor(topic: string, queueId: number, pool: UnitPool = new UnitPool()) {
    this.topic = topic;
    this.queueId = queueId;
    this.#pool = pool;
  }

  get ringBytes(): number {
    return this.#chunk?.pieceBytes ?? 0;
  }

  /** Sets an empty or reloaded queue: messages `minOffset` to `end` are in the file. */
  load(minOffset: number, end: number): void {
    this.minOffset = minOffset;
    this.minPosition = -1;
    this.filesFrom = 0;
    this.end = end;
    this.nextOffset = end;
    this.written = end;
    this.synced = end;
    this.ringStart = end;
    this.sumTo = -1;
    this.#giveBack();
  }

  /** What is in the ring was never on a disk. */
  isSure(): boolean {
    return true;
  }

  /** Adds the unit at `end`. `hotStart` is the oldest position in memory: units of older records make room first. */
  append(physicalOffset: number, size: number, tagsCode: number, hotStart: number): void {
    let chunk = this.#chunk;
    if (chunk === undefined || this.end - this.ringStart > this.#mask) chunk = this.#makeRoom(hotStart);
    const { bytes } = chunk;
    const at = this.#at(this.end);
    writeInt64(bytes, physicalOffset, at);
    bytes.writeInt32BE(size, at + 8);
    writeInt64(bytes, tagsCode, at + 12);
    this.end += 1;
  }

  physicalOffsetAt(offset: number): number {
    return readInt64(this.#unit(offset), this.#at(offset));
  }

  sizeAt(offset: number): number {
    return this.#unit(offset).readInt32BE(this.#at(offset) + 8);
  }

  tagsCodeAt(offset: number): number {
    return readInt64(this.#unit(offset), this.#at(offset) + 12);
  }

  /** The units [from, to) as they go to the file: one or two views into the ring, for use at once. */
  unitBytes(from: number, to: number): readonly Buffer[] {
    const bytes = this.#unit(from);
    const at = this.#at(from);
    const first = Math.min(to - from, this.#mask + 1 - (from & this.#mask));
    const slices = [bytes.subarray(at, at + first * UNIT_BYTES)];
    const rest = to - from - first;
    if (rest > 0) slices.push(bytes.subarray(this.#base, this.#base + rest * UNIT_BYTES));
    return slices;
  }

  /** Forgets units at or behind `offset`. */
  cut(offset: number): void {
    if (offset < this.end) this.end = offset;
    if (offset < this.nextOffset) this.nextOffset = offset;
    if (offset < this.written) this.written = offset;
    if (offset < this.synced) this.synced = offset;
    if (offset < this.ringStart) this.ringStart = offset;
    if (offset < this.minOffset) this.minOffset = offset;
    this.minPosition = -1;
  }

  /** Records of earlier messages are no longer stored. */
  removeBefore(offset: number): void {
    assert(offset >= this.minOffset && offset <= this.end, "a queue's start moves forward, up to its end");
    this.minOffset = offset;
    this.minPosition = -1;
  }

  /** Gives memory back when everything in the ring is on disk and none of its records in the hot tail. */
  shrink(hotStart: number): boolean {
    if (this.#chunk === undefined) return true;
    if (this.synced < this.end) return false;
    if (this.end > this.ringStart && this.physicalOffsetAt(this.end - 1) >= hotStart) return false;
    this.#giveBack();
    this.ringStart = this.end;
    return true;
  }

  /** Where the unit is in the chunk. */
  #at(offset: number): number {
    return this.#base + (offset & this.#mask) * UNIT_BYTES;
  }

  #unit(offset: number): Buffer {
    assert(offset >= this.ringStart && offset < this.end, "the unit is in memory");
    return this.#chunk!.bytes;
  }

  #giveBack(): void {
    if (this.#chunk !== undefined) this.#pool.giveBack(this.#chunk, this.#base);
    this.#chunk = undefined;
  }

  #makeRoom(hotStart: number): UnitChunk {
    const chunk = this.#chunk;
    if (chunk === undefined) {
      this.ringStart = this.end;
      return this.#take(RING_UNITS_MIN);
    }
    const cold = this.ringStart < this.synced && this.physicalOffsetAt(this.ringStart) < hotStart;
    if (cold) {
      this.ringStart += 1;
      return chunk;
    }
    const base = this.#base;
    const slices = this.unitBytes(this.ringStart, this.end);
    const grown = this.#take((this.#mask + 1) * 2);
    let offset = this.ringStart;
    for (const slice of slices) {
      for (let from = 0; from < slice.length; from += UNIT_BYTES, offset += 1) {
        slice.copy(grown.bytes, this.#at(offset), from, from + UNIT_BYTES);
      }
    }
    this.#pool.giveBack(chunk, base);
    return grown;
  }

  #take(units: number): UnitChunk {
    const chunk = this.#pool.take(units * UNIT_BYTES);
    this.#chunk = chunk;
    this.#base = this.#pool.takenAt;
    this.#mask = units - 1;
    return chunk;
  }
}
