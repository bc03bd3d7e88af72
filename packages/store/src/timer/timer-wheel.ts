/**
 * `timerwheel` (RocketMQ: TimerWheel): one slot per second for two weeks, after which seconds take the same slots
 * again. The file has its full length from the beginning, sparse where no slot was ever used. In memory are one
 * bit per slot and the pages in use: what was changed since the last write, and a few that were read.
 *
 * Changes stay in memory until they are written together, after the units they lead to are on disk: a slot on disk
 * never leads beyond the log.
 */
import { assert, type Files, type HostError, type OpenFile } from "@orbitmq/host";
import { readTimerSlot, TIMER_SLOT_BYTES, type TimerSlot, writeTimerSlot } from "./timer-slot.ts";

/** RocketMQ: TIMER_WHEEL_TTL_DAY × DAY_SECS × 2. */
export const TIMER_WHEEL_SLOTS = 7 * 86_400 * 2;

const PAGE_BYTES = 4096;
const SLOTS_PER_PAGE = PAGE_BYTES / TIMER_SLOT_BYTES;
const CLEAN_PAGES_MAX = 256;
const LOAD_BYTES = 1024 * 1024;

interface Page {
  readonly bytes: Buffer;
  isDirty: boolean;
  /** Copied, and not written yet: the file has an older one. */
  isLeaving: boolean;
}

/** Copies of changed pages, on their way to the file. */
export type WheelChanges = readonly { readonly at: number; readonly bytes: Buffer }[];

export class TimerWheel {
  readonly slots: number;
  readonly #files: Files;
  readonly #path: string;
  readonly #precisionMs: number;
  readonly #used: Uint32Array;
  #usedCount = 0;
  #waiting = 0;
  /** Slots being emptied: index → time. */
  readonly #taken = new Map<number, number>();
  /** No used slot is earlier. */
  #from = 0;
  /** By index, the least recently read first. */
  readonly #pages = new Map<number, Page>();
  #dirtyPages = 0;
  #file: OpenFile | undefined;
  #isNew = false;

  constructor(files: Files, path: string, slots: number, precisionMs: number) {
    this.#files = files;
    this.#path = path;
    this.slots = slots;
    this.#precisionMs = precisionMs;
    this.#used = new Uint32Array(Math.ceil(slots / 32));
  }

  get dirtyPages(): number {
    return this.#dirtyPages;
  }

  get usedSlots(): number {
    return this.#usedCount;
  }

  /** Messages of all slots in use, less deletions. */
  get waiting(): number {
    return this.#waiting;
  }

  get #bytes(): number {
    return this.slots * TIMER_SLOT_BYTES;
  }

  /**
   * Looks through the file for slots of `fromMs` and later; earlier ones are done with. Says what is wrong, if it is
   * no wheel, or leads to where the log is not.
   */
  load(fromMs: number, log: { readonly start: number; readonly end: number }): string | undefined {
    this.close();
    const size = this.#files.statSync(this.#path)?.sizeBytes;
    if (size === undefined) return log.end === 0 ? undefined : "it is missing";
    if (size !== this.#bytes) return `it has ${size} bytes, not ${this.#bytes}`;
    const file = this.#files.openSync(this.#path);
    this.#file = file;
    const chunk = Buffer.alloc(Math.min(LOAD_BYTES, this.#bytes));
    let first = Number.POSITIVE_INFINITY;
    let last = 0;
    for (let at = 0; at < this.#bytes; at += chunk.length) {
      const count = file.readSync(chunk, at);
      for (let within = 0; within + TIMER_SLOT_BYTES <= count; within += TIMER_SLOT_BYTES) {
        // Most slots are zeros.
        if (chunk.readInt32BE(within + 4) === 0 && chunk.readInt32BE(within) === 0) continue;
        const slot = readTimerSlot(chunk, within, this.#precisionMs);
        const index = (at + within) / TIMER_SLOT_BYTES;
        if (slot === undefined) return `slot ${index} is none`;
        // Also of one that would be done with: a bit may have flipped.
        if (this.#indexOf(slot.timeMs) !== index) return `slot ${index} holds a time that is not its own`;
        if (slot.timeMs < fromMs) continue;
        if (slot.lastPos >= log.end)
          return `slot ${index} leads to ${slot.lastPos}, the log ends at ${log.end}`;
        if (slot.firstPos < log.start)
          return `slot ${index} begins at ${slot.firstPos}, the log at ${log.start}`;
        this.#use(index);
        this.#waiting += slot.num;
        first = Math.min(first, slot.timeMs);
        last = Math.max(last, slot.timeMs);
      }
    }
    if (this.#usedCount > 0 && last - first >= this.slots * this.#precisionMs)
      return "it holds more than its span";
    this.#from = this.#usedCount > 0 ? first : 0;
    return undefined;
  }

  /** Whether messages of `timeMs` can be kept: the slot is free or theirs, and nothing is a whole turn away. */
  hasRoom(timeMs: number): boolean {
    if (this.#taken.has(this.#indexOf(timeMs))) return false;
    if (this.#usedCount === 0) return true;
    const span = this.slots * this.#precisionMs;
    if (timeMs - this.#from >= span) this.#from = this.#firstUsed();
    return timeMs - this.#from < span && this.#from - timeMs < span && this.#lastWithin(timeMs, span);
  }

  /** The slot of `timeMs`; `undefined` when it is not in use. */
  slot(timeMs: number): TimerSlot | undefined {
    const index = this.#indexOf(timeMs);
    const slot = this.#isUsed(index) ? this.#read(index) : undefined;
    return slot?.timeMs === timeMs ? slot : undefined;
  }

  /** Throws HostError when the wheel's file is new and cannot be made. */
  put(slot: TimerSlot): void {
    const index = this.#indexOf(slot.timeMs);
    this.#waiting += slot.num - (this.#isUsed(index) ? (this.#read(index)?.num ?? 0) : 0);
    writeTimerSlot(slot, this.#precisionMs, this.#dirty(index), this.#at(index));
    if (this.#usedCount === 0 || slot.timeMs < this.#from) this.#from = slot.timeMs;
    this.#use(index);
  }

  /** The slot is being emptied: it is not found any more, but stays on disk until it is `cleared`. */
  take(timeMs: number): void {
    const index = this.#indexOf(timeMs);
    const word = index >>> 5;
    const bit = 1 << (index & 31);
    if ((this.#used[word]! & bit) === 0) return;
    this.#used[word]! &= ~bit;
    this.#usedCount--;
    this.#waiting -= this.#read(index)?.num ?? 0;
    this.#taken.set(index, timeMs);
  }

  /** Whether the slot is taken, and not cleared. */
  isTaken(timeMs: number): boolean {
    return this.#taken.get(this.#indexOf(timeMs)) === timeMs;
  }

  /** The slot is empty for good. */
  clear(timeMs: number): void {
    this.take(timeMs);
    const index = this.#indexOf(timeMs);
    this.#taken.delete(index);
    if (this.#read(index)?.timeMs !== timeMs) return;
    this.#dirty(index).fill(0, this.#at(index), this.#at(index) + TIMER_SLOT_BYTES);
  }

  /** Wall ms of the earliest slot in use. */
  next(): number | undefined {
    if (this.#usedCount === 0) return undefined;
    this.#from = this.#firstUsed();
    return this.#from;
  }

  /** Copies of the pages that were changed, which count as unchanged from now on. */
  changes(): WheelChanges {
    const changed: { at: number; bytes: Buffer }[] = [];
    for (const [index, page] of this.#pages) {
      if (!page.isDirty) continue;
      page.isDirty = false;
      page.isLeaving = true;
      changed.push({ at: index * PAGE_BYTES, bytes: Buffer.from(page.bytes) });
    }
    this.#dirtyPages = 0;
    return changed;
  }

  /** Writes pages into the page cache. Throws HostError. */
  write(changes: WheelChanges): void {
    for (const { at, bytes } of changes) {
      const length = Math.min(bytes.length, this.#bytes - at);
      this.#opened().writeSync(bytes.subarray(0, length), at);
      this.#left(at);
    }
  }

  /** The changes could not be written: they are changes again. */
  unwritten(changes: WheelChanges): void {
    for (const { at } of changes) {
      const page = this.#left(at);
      if (page === undefined || page.isDirty) continue;
      this.#dirtyPages++;
      page.isDirty = true;
    }
  }

  sync(done: (error: HostError | undefined) => void): void {
    if (this.#file === undefined) {
      done(undefined);
      return;
    }
    this.#file.fdatasync("other", (error) => {
      if (error !== undefined || !this.#isNew) {
        done(error);
        return;
      }
      this.#files.syncFolder(this.#folder, (failure) => {
        this.#isNew = failure !== undefined;
        done(failure);
      });
    });
  }

  /** Throws HostError. */
  syncSync(): void {
    if (this.#file === undefined) return;
    this.#file.fdatasyncSync();
    if (this.#isNew) this.#files.syncFolderSync(this.#folder);
    this.#isNew = false;
  }

  /** Removes the file. Throws HostError. */
  remove(): void {
    this.close();
    this.#files.unlinkSync(this.#path);
  }

  close(): void {
    this.#file?.closeSync();
    this.#file = undefined;
    this.#pages.clear();
    this.#taken.clear();
    this.#dirtyPages = 0;
    this.#used.fill(0);
    this.#usedCount = 0;
    this.#waiting = 0;
    this.#from = 0;
  }

  get #folder(): string {
    return this.#path.slice(0, this.#path.lastIndexOf("/"));
  }

  #opened(): OpenFile {
    if (this.#file === undefined) {
      const file = this.#files.openSync(this.#path, { create: true });
      file.truncateSync(this.#bytes);
      this.#file = file;
      this.#isNew = true;
    }
    return this.#file;
  }

  #indexOf(timeMs: number): number {
    return Math.floor(timeMs / this.#precisionMs) % this.slots;
  }

  #at(index: number): number {
    return (index % SLOTS_PER_PAGE) * TIMER_SLOT_BYTES;
  }

  #use(index: number): void {
    const word = index >>> 5;
    const bit = 1 << (index & 31);
    if ((this.#used[word]! & bit) !== 0) return;
    this.#used[word]! |= bit;
    this.#usedCount++;
  }

  #isUsed(index: number): boolean {
    return (this.#used[index >>> 5]! & (1 << (index & 31))) !== 0;
  }

  /** Whether no slot in use is a turn or more after `timeMs`, and its own is free or of that time. */
  #lastWithin(timeMs: number, span: number): boolean {
    const index = this.#indexOf(timeMs);
    if (this.#isUsed(index) && this.#read(index)?.timeMs !== timeMs) return false;
    if (timeMs >= this.#from) return true;
    // Earlier than all others: the latest must not be a turn away.
    return this.#lastUsed() - timeMs < span;
  }

  #firstUsed(): number {
    const begin = this.#indexOf(this.#from);
    return this.#from + this.#distance(begin, 1) * this.#precisionMs;
  }

  #lastUsed(): number {
    const begin = (this.#indexOf(this.#from) + this.slots - 1) % this.slots;
    return this.#from + (this.slots - 1 - this.#distance(begin, -1)) * this.#precisionMs;
  }

  /** Slots from `begin` on, in one direction, to the first that is in use; there is one. */
  #distance(begin: number, step: 1 | -1): number {
    let index = begin;
    for (let distance = 0; distance < this.slots; ) {
      const word = this.#used[index >>> 5]!;
      const isWhole = step === 1 ? (index & 31) === 0 && index + 32 <= this.slots : (index & 31) === 31;
      if (word === 0 && isWhole) {
        distance += 32;
        index += 32 * step;
      } else {
        if ((word & (1 << (index & 31))) !== 0) return distance;
        distance += 1;
        index += step;
      }
      if (index >= this.slots) index -= this.slots;
      if (index < 0) index += this.slots;
    }
    assert(false, "a slot is in use");
    return 0;
  }

  #read(index: number): TimerSlot | undefined {
    return readTimerSlot(this.#page(index).bytes, this.#at(index), this.#precisionMs);
  }

  #dirty(index: number): Buffer {
    this.#opened();
    const page = this.#page(index);
    if (!page.isDirty) this.#dirtyPages++;
    page.isDirty = true;
    return page.bytes;
  }

  #page(slotIndex: number): Page {
    const index = Math.floor(slotIndex / SLOTS_PER_PAGE);
    let page = this.#pages.get(index);
    if (page !== undefined) return page;
    page = { bytes: Buffer.alloc(PAGE_BYTES), isDirty: false, isLeaving: false };
    this.#file?.readSync(page.bytes, index * PAGE_BYTES);
    if (this.#pages.size - this.#dirtyPages >= CLEAN_PAGES_MAX) this.#evict();
    this.#pages.set(index, page);
    return page;
  }

  #left(at: number): Page | undefined {
    const page = this.#pages.get(at / PAGE_BYTES);
    if (page !== undefined) page.isLeaving = false;
    return page;
  }

  #evict(): void {
    for (const [index, page] of this.#pages) {
      if (page.isDirty || page.isLeaving) continue;
      this.#pages.delete(index);
      return;
    }
  }
}
