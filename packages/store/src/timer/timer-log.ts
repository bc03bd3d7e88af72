/**
 * `timerlog/` (RocketMQ: TimerLog): files of one length, named by their first position, filled with units one after
 * the other. New units wait in memory until `writeOut`; reads find them there.
 *
 * After a sync has failed nobody knows what is on disk: the log is not synced again, and progress not saved, until
 * the next start has looked.
 */
import { assert, type Files, type HostError, type OpenFile } from "@orbitmq/host";
import { makeDurableFolder } from "../make-durable-folder.ts";
import { offsetName, parseOffsetName } from "../store-paths.ts";
import {
  BLANK_BYTES,
  BLANK_MAGIC,
  readTimerUnit,
  TIMER_UNIT_BYTES,
  type TimerEntry,
  type TimerUnit,
  writeTimerUnit,
} from "./timer-unit.ts";

const READ_BYTES = 64 * 1024;
const TAIL_BYTES = 64 * 1024;

export class TimerLog {
  readonly #files: Files;
  readonly #folder: string;
  readonly #fileBytes: number;
  /** First positions of the files, rising. */
  #starts: number[] = [];
  readonly #open = new Map<number, OpenFile>();
  /** One past the last unit, and how much of that is written. */
  #end = 0;
  #written = 0;
  readonly #tail = Buffer.alloc(TAIL_BYTES);
  /** Files written to since the last sync, and whether one is new. */
  readonly #unsynced = new Set<number>();
  #hasNewFile = false;
  /** Files whose sync is under way. */
  readonly #syncing = new Set<number>();
  readonly #block = Buffer.alloc(READ_BYTES);
  #blockAt = -1;
  #blockBytes = 0;

  constructor(files: Files, folder: string, fileBytes: number) {
    assert(fileBytes >= TIMER_UNIT_BYTES + BLANK_BYTES, "a file holds a unit");
    this.#files = files;
    this.#folder = folder;
    this.#fileBytes = fileBytes;
  }

  get start(): number {
    return this.#starts[0] ?? 0;
  }

  get end(): number {
    return this.#end;
  }

  get isEmpty(): boolean {
    return this.#starts.length === 0;
  }

  /**
   * Lists the files and finds the end: the first place at or after `from` without a whole unit. What lies behind the
   * end is made zeros, and files beyond it removed, so that nothing of it comes back. Says what is wrong, if the
   * files are no log that reaches `from`.
   */
  load(from: number): string | undefined {
    this.close();
    const names = this.#files.statSync(this.#folder) === undefined ? [] : this.#files.listSync(this.#folder);
    this.#starts = names
      .map(parseOffsetName)
      .filter((start) => start !== undefined)
      .sort((a, b) => a - b);
    for (const [index, start] of this.#starts.entries()) {
      if (index > 0 && start !== this.#starts[index - 1]! + this.#fileBytes) {
        return `the file before ${start} is missing`;
      }
      if (start % this.#fileBytes !== 0) return `the file ${start} has another length`;
      const size = this.#files.statSync(`${this.#folder}/${offsetName(start)}`)!.sizeBytes;
      if (size !== this.#fileBytes) return `the file ${start} has ${size} bytes`;
    }
    if (this.isEmpty) {
      this.#end = 0;
      this.#written = 0;
      return from === 0 ? undefined : "its files are missing";
    }
    const last = this.#starts.at(-1)! + this.#fileBytes;
    if (from > last || from < this.start) return `it does not reach ${from}`;
    this.#end = last;
    this.#written = last;
    if (from > this.start && this.before(from) === undefined) return `there is no unit before ${from}`;
    let at = from;
    for (;;) {
      const found = this.#look(at);
      if (found === undefined) break;
      at = found.next;
    }
    this.#end = at;
    this.#written = at;
    return undefined;
  }

  /** Makes everything behind the end zeros. Throws HostError. */
  trimSync(): void {
    const isBeyond = (start: number): boolean => start > this.#end;
    for (const start of this.#starts.filter(isBeyond)) {
      this.#open.get(start)?.closeSync();
      this.#open.delete(start);
      this.#files.unlinkSync(`${this.#folder}/${offsetName(start)}`);
    }
    this.#starts = this.#starts.filter((start) => !isBeyond(start));
    const start = this.#starts.findLast((each) => each <= this.#end);
    this.#blockAt = -1;
    if (start === undefined || this.#end - start >= this.#fileBytes) return;
    const file = this.#file(start);
    const probe = Buffer.alloc(TIMER_UNIT_BYTES);
    file.readSync(probe, this.#end - start);
    if (probe.every((byte) => byte === 0)) return;
    file.truncateSync(this.#end - start);
    file.truncateSync(this.#fileBytes);
    this.#unsynced.add(start);
  }

  /** Adds a unit behind the one at `prevPos`; returns its position. Throws HostError when a new file is needed and cannot be had. */
  append(entry: TimerEntry, prevPos: number): number {
    if (this.#end - this.#written + TIMER_UNIT_BYTES + BLANK_BYTES > TAIL_BYTES) this.writeOut();
    const start = this.#fileStart(this.#end);
    const rest = start + this.#fileBytes - this.#end;
    if (this.isEmpty || start > this.#starts.at(-1)!) this.#addFile(start);
    else if (rest < TIMER_UNIT_BYTES + BLANK_BYTES) {
      this.#addFile(start + this.#fileBytes);
      if (rest >= BLANK_BYTES) this.#blank(rest);
      else this.writeOut();
      this.#end = start + this.#fileBytes;
      this.#written = this.#end;
    }
    const at = this.#end - this.#written;
    writeTimerUnit(entry, prevPos, this.#tail, at);
    this.#end += TIMER_UNIT_BYTES;
    return this.#end - TIMER_UNIT_BYTES;
  }

  /** Writes what waits in memory. Throws HostError; then it still waits. */
  writeOut(): void {
    if (this.#written === this.#end) return;
    const start = this.#fileStart(this.#written);
    this.#file(start).writeSync(this.#tail.subarray(0, this.#end - this.#written), this.#written - start);
    this.#unsynced.add(start);
    if (this.#blockAt >= 0 && this.#blockAt + this.#blockBytes > this.#written) this.#blockAt = -1;
    this.#written = this.#end;
  }

  /** The unit at `position`; `undefined` when there is none. */
  at(position: number): TimerUnit | undefined {
    if (position < this.start || position + TIMER_UNIT_BYTES > this.#end) return undefined;
    if (position >= this.#written) return readTimerUnit(this.#tail, position - this.#written, position);
    const found = this.#bytesAt(position, TIMER_UNIT_BYTES);
    return found === undefined ? undefined : readTimerUnit(this.#block, found, position);
  }

  /** The last unit before `position`, which is the end of one or of a file. */
  before(position: number): { readonly position: number; readonly unit: TimerUnit } | undefined {
    const candidates = [position - TIMER_UNIT_BYTES];
    const start = this.#fileStart(position);
    if (position === start) {
      // The file before ends with a blank, and less than a unit and a blank of space.
      const units = Math.floor((this.#fileBytes - BLANK_BYTES) / TIMER_UNIT_BYTES);
      candidates.unshift(start - this.#fileBytes + (units - 1) * TIMER_UNIT_BYTES);
    }
    for (const candidate of candidates) {
      const unit = this.at(candidate);
      if (unit !== undefined) return { position: candidate, unit };
    }
    return undefined;
  }

  /** Units from `from` on, in order. */
  *units(from: number): Generator<{ readonly position: number; readonly unit: TimerUnit }> {
    for (let at = Math.max(from, this.start); at < this.#end; ) {
      const found = this.#look(at);
      if (found === undefined) return;
      if (found.unit !== undefined) yield { position: at, unit: found.unit };
      at = found.next;
    }
  }

  /** Takes the last unit back. */
  dropLast(position: number): void {
    assert(this.#written === this.#end, "nothing waits to be written");
    this.#end = position;
    this.#written = position;
    this.#blockAt = -1;
  }

  /** Syncs what is written. */
  sync(done: (error: HostError | undefined) => void): void {
    const files = [...this.#unsynced].map((start) => this.#file(start));
    for (const start of this.#unsynced) this.#syncing.add(start);
    this.#unsynced.clear();
    const isNew = this.#hasNewFile;
    this.#hasNewFile = false;
    let left = files.length + (isNew ? 1 : 0);
    if (left === 0) {
      done(undefined);
      return;
    }
    let failure: HostError | undefined;
    const one = (error: HostError | undefined): void => {
      failure ??= error;
      if (--left > 0) return;
      this.#syncing.clear();
      done(failure);
    };
    if (isNew) this.#files.syncFolder(this.#folder, one);
    for (const file of files) file.fdatasync("other", one);
  }

  /** As `sync`, blocking. Throws HostError. */
  syncSync(): void {
    const isNew = this.#hasNewFile || this.#syncing.size > 0;
    for (const start of this.#syncing) this.#unsynced.add(start);
    for (const start of this.#unsynced) this.#file(start).fdatasyncSync();
    this.#unsynced.clear();
    if (isNew) this.#files.syncFolderSync(this.#folder);
    this.#hasNewFile = false;
  }

  /** Removes leading files, never the last, whose messages all lie before `physicalOffset` of the CommitLog. Throws HostError. */
  removeBefore(physicalOffset: number): void {
    while (this.#starts.length > 1) {
      const last = this.before(this.#starts[1]!);
      if (last === undefined || last.unit.physicalOffset >= physicalOffset) return;
      this.#removeFirst();
    }
  }

  /** Removes every file. Throws HostError. */
  clear(): void {
    while (this.#starts.length > 0) this.#removeFirst();
    if (this.#files.statSync(this.#folder) !== undefined) {
      for (const name of this.#files.listSync(this.#folder)) {
        if (parseOffsetName(name) !== undefined) this.#files.unlinkSync(`${this.#folder}/${name}`);
      }
      this.#files.syncFolderSync(this.#folder);
    }
    this.close();
    this.#end = 0;
    this.#written = 0;
  }

  close(): void {
    for (const file of this.#open.values()) file.closeSync();
    this.#open.clear();
    this.#unsynced.clear();
    this.#syncing.clear();
    this.#starts = [];
    this.#blockAt = -1;
  }

  #removeFirst(): void {
    const start = this.#starts[0]!;
    this.#files.unlinkSync(`${this.#folder}/${offsetName(start)}`);
    this.#starts.shift();
    this.#open.get(start)?.closeSync();
    this.#open.delete(start);
    this.#unsynced.delete(start);
    this.#syncing.delete(start);
  }

  /** What lies at `at`: a unit, or a blank that leads to the next file. */
  #look(at: number): { readonly unit: TimerUnit | undefined; readonly next: number } | undefined {
    const start = this.#fileStart(at);
    const rest = start + this.#fileBytes - at;
    if (rest >= TIMER_UNIT_BYTES + BLANK_BYTES) {
      const unit = this.at(at);
      if (unit !== undefined) return { unit, next: at + TIMER_UNIT_BYTES };
    }
    const found = rest >= BLANK_BYTES ? this.#bytesAt(at, BLANK_BYTES) : undefined;
    const isBlank =
      rest < BLANK_BYTES || (found !== undefined && this.#block.readInt32BE(found + 12) === BLANK_MAGIC);
    if (!isBlank || !this.#starts.includes(start + this.#fileBytes)) return undefined;
    return { unit: undefined, next: start + this.#fileBytes };
  }

  #blank(rest: number): void {
    const at = this.#end - this.#written;
    this.#tail.fill(0, at, at + BLANK_BYTES);
    this.#tail.writeInt32BE(rest, at);
    this.#tail.writeInt32BE(BLANK_MAGIC, at + 12);
    this.#end += BLANK_BYTES;
    try {
      this.writeOut();
    } catch (error) {
      this.#end -= BLANK_BYTES;
      throw error;
    }
  }

  #addFile(start: number): void {
    if (this.#starts.includes(start)) return;
    if (this.#files.statSync(this.#folder) === undefined) makeDurableFolder(this.#files, this.#folder);
    const file = this.#files.openSync(`${this.#folder}/${offsetName(start)}`, { create: true });
    file.truncateSync(0);
    file.truncateSync(this.#fileBytes);
    this.#open.set(start, file);
    this.#starts.push(start);
    this.#unsynced.add(start);
    this.#hasNewFile = true;
  }

  #fileStart(position: number): number {
    return position - (position % this.#fileBytes);
  }

  #file(start: number): OpenFile {
    let file = this.#open.get(start);
    if (file === undefined) {
      file = this.#files.openSync(`${this.#folder}/${offsetName(start)}`);
      this.#open.set(start, file);
    }
    return file;
  }

  /** Where in the block `position` lies, with `length` bytes behind it; `undefined` beyond the file. */
  #bytesAt(position: number, length: number): number | undefined {
    const isIn = this.#blockAt >= 0 && position >= this.#blockAt;
    if (isIn && position + length <= this.#blockAt + this.#blockBytes) return position - this.#blockAt;
    const start = this.#fileStart(position);
    if (position + length > start + this.#fileBytes || !this.#starts.includes(start)) return undefined;
    // Chains are walked backwards and logs forwards: some of both.
    const from = Math.max(start, position - READ_BYTES / 2);
    this.#blockBytes = this.#file(start).readSync(this.#block, from - start);
    this.#blockAt = from;
    return position + length <= from + this.#blockBytes ? position - from : undefined;
  }
}
