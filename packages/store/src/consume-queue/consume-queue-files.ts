/**
 * The files of ConsumeQueues: `consumequeue/<topic>/<queueId>/<offset>`, each 300,000 units long and named by
 * the byte position of its first unit, with its full length from the start (Java refuses others).
 *
 * A unit that was never written is zeros; readers stop there. A queue whose first message is not at the start
 * of a file has blank units before it.
 */
import { assert, type Files, type HostError, type Lane, type Logger, type OpenFile } from "@orbitmq/host";
import type { OpenFileCache } from "../open-file-cache.ts";
import { offsetName, parseOffsetName } from "../store-paths.ts";
import { BLANK_UNIT_SIZE, type ConsumeQueue, UNIT_BYTES } from "./consume-queue.ts";
import { UnitChecksums } from "./unit-checksums.ts";

export class ConsumeQueueFiles {
  readonly root: string;
  readonly fileUnits: number;
  /** Called before the files of an unchecked queue are used; throws HostError when they must not be. */
  whenFirstUsed: (queue: ConsumeQueue) => void = () => {};
  readonly #files: Files;
  readonly #fileBytes: number;
  readonly #cache: OpenFileCache;
  readonly checksums: UnitChecksums;
  /** Folders with entries that may not be on disk yet. */
  readonly #unsyncedFolders = new Set<string>();
  /** After a stop that was not orderly: folders known to be on disk; others may hold names that are not. */
  #namedFolders: Set<string> | undefined;

  constructor(
    files: Files,
    root: string,
    fileBytes: number,
    cache: OpenFileCache,
    checksums: { readonly root: string; readonly logger: Logger },
  ) {
    this.#files = files;
    this.root = root;
    this.#fileBytes = fileBytes;
    this.fileUnits = fileBytes / UNIT_BYTES;
    this.#cache = cache;
    this.checksums = new UnitChecksums(files, cache, checksums.root, this.fileUnits, checksums.logger);
  }

  folder(topic: string, queueId: number): string {
    return `${this.root}/${topic}/${queueId}`;
  }

  /** What the last run made may have a name in memory only: every folder is synced when it is next written to. */
  distrustNames(): void {
    this.#namedFolders = new Set();
  }

  /** Folders that must be synced before what was written counts as durable. */
  unsyncedFolders(): string[] {
    return [...this.#unsyncedFolders];
  }

  foldersSynced(folders: readonly string[]): void {
    for (const folder of folders) this.#unsyncedFolders.delete(folder);
  }

  /** Writes the units [written, to) of the queue from its ring; returns the files that need a sync. Throws HostError. */
  writeUnits(queue: ConsumeQueue, to: number): string[] {
    const touched: string[] = [];
    if (!queue.checked && queue.written < to) this.whenFirstUsed(queue);
    while (queue.written < to) {
      const from = queue.written;
      const index = Math.floor(from / this.fileUnits);
      const end = Math.min(to, (index + 1) * this.fileUnits);
      const path = this.#path(queue, index);
      const file = this.#openForWrite(queue, index, path);
      let position = (from - index * this.fileUnits) * UNIT_BYTES;
      for (const bytes of queue.unitBytes(from, end)) {
        file.writeSync(bytes, position);
        position += bytes.length;
      }
      touched.push(path);
      queue.written = end;
      this.checksums.wrote(queue, from, end);
    }
    return touched;
  }

  /** Makes the units [from, to) zeros; files that hold nothing else go. Returns the files that need a sync. Throws HostError. */
  zeroUnits(queue: { topic: string; queueId: number }, from: number, to: number): string[] {
    const touched: string[] = [];
    for (let at = from; at < to; ) {
      const index = Math.floor(at / this.fileUnits);
      const end = Math.min(to, (index + 1) * this.fileUnits);
      const path = this.#path(queue, index);
      if (this.#files.statSync(path) !== undefined) {
        const within = at - index * this.fileUnits;
        this.#cache.get(path).writeSync(new Uint8Array((end - at) * UNIT_BYTES), within * UNIT_BYTES);
        touched.push(path);
      }
      at = end;
    }
    return touched;
  }

  sync(path: string, done: (error: HostError | undefined) => void): void {
    let file: OpenFile;
    try {
      file = this.#cache.get(path);
    } catch (error) {
      done(error as HostError);
      return;
    }
    file.fdatasync("other", done);
  }

  syncSync(path: string): void {
    this.#cache.get(path).fdatasyncSync();
  }

  /** Whether the file that begins at unit `start` is there in its full length. */
  isComplete(queue: { topic: string; queueId: number }, start: number): boolean {
    return this.#files.statSync(this.#path(queue, start / this.fileUnits))?.sizeBytes === this.#fileBytes;
  }

  /** The file positions, in units, that the queue's files begin at; ascending. */
  listFiles(topic: string, queueId: number): number[] {
    const starts: number[] = [];
    const folder = this.folder(topic, queueId);
    if (this.#files.statSync(folder) === undefined) return starts;
    for (const name of this.#files.listSync(folder)) {
      const start = parseOffsetName(name);
      if (start !== undefined && start % this.#fileBytes === 0) starts.push(start / UNIT_BYTES);
    }
    return starts.sort((a, b) => a - b);
  }

  /** Gives files that were cut off their full length back; `false` when one is longer than that. Throws HostError. */
  completeFiles(topic: string, queueId: number, starts: readonly number[]): boolean {
    for (const start of starts) {
      const path = this.#path({ topic, queueId }, start / this.fileUnits);
      const sizeBytes = this.#files.statSync(path)?.sizeBytes ?? 0;
      if (sizeBytes > this.#fileBytes) return false;
      if (sizeBytes < this.#fileBytes) this.#cache.get(path).truncateSync(this.#fileBytes);
    }
    return true;
  }

  /** Removes every file of the queue. The folder stays and is synced with the next round. */
  removeFiles(topic: string, queueId: number): void {
    for (const start of this.listFiles(topic, queueId)) this.removeFile(topic, queueId, start);
  }

  removeFile(topic: string, queueId: number, startUnit: number): void {
    const path = this.#path({ topic, queueId }, startUnit / this.fileUnits);
    this.#cache.close(path);
    this.#files.unlinkSync(path);
    this.checksums.remove({ topic, queueId }, startUnit);
    this.#unsyncedFolders.add(this.folder(topic, queueId));
  }

  /** Reads units into `into`, blocking, from `offset` on, within one file; zeros where the file ends early. */
  readSync(queue: { topic: string; queueId: number }, offset: number, into: Buffer): void {
    const index = Math.floor(offset / this.fileUnits);
    const file = this.#cache.get(this.#path(queue, index));
    const count = file.readSync(into, (offset - index * this.fileUnits) * UNIT_BYTES);
    into.fill(0, count);
  }

  /** As `readSync`, on the thread pool. */
  read(
    lane: Lane,
    queue: { topic: string; queueId: number },
    offset: number,
    into: Buffer,
    done: (error: HostError | undefined) => void,
  ): void {
    const index = Math.floor(offset / this.fileUnits);
    let file: OpenFile;
    try {
      file = this.#cache.get(this.#path(queue, index));
    } catch (error) {
      done(error as HostError);
      return;
    }
    file.read(lane, into, (offset - index * this.fileUnits) * UNIT_BYTES, (error, count) => {
      if (error === undefined) into.fill(0, count);
      done(error);
    });
  }

  /** Writes units over what a file holds of them, all of one file. Throws HostError. */
  repairUnits(queue: { topic: string; queueId: number }, start: number, bytes: Buffer): void {
    const index = Math.floor(start / this.fileUnits);
    const within = start - index * this.fileUnits;
    this.#cache.get(this.#path(queue, index)).writeSync(bytes, within * UNIT_BYTES);
  }

  #path(queue: { topic: string; queueId: number }, index: number): string {
    return `${this.folder(queue.topic, queue.queueId)}/${offsetName(index * this.#fileBytes)}`;
  }

  #openForWrite(queue: ConsumeQueue, index: number, path: string): OpenFile {
    const stat = this.#files.statSync(path);
    const folder = this.folder(queue.topic, queue.queueId);
    if (stat === undefined) this.#files.makeFolderSync(folder);
    if (stat === undefined || this.#namedFolders?.has(folder) === false) {
      this.#unsyncedFolders.add(folder).add(`${this.root}/${queue.topic}`).add(this.root);
      this.#namedFolders?.add(folder);
    }
    if (stat !== undefined && stat.sizeBytes === this.#fileBytes) return this.#cache.get(path);
    const file = this.#files.openSync(path, { create: true });
    this.#cache.put(path, file);
    // Blanks before the length: a file of full length is a complete one.
    const blanks = queue.written - index * this.fileUnits;
    if (blanks > 0) file.writeSync(blankUnits(blanks), 0);
    file.truncateSync(this.#fileBytes);
    return file;
  }
}

function blankUnits(count: number): Buffer {
  assert(count > 0, "there is something to fill");
  const bytes = Buffer.alloc(count * UNIT_BYTES);
  for (let at = 0; at < bytes.length; at += UNIT_BYTES) bytes.writeInt32BE(BLANK_UNIT_SIZE, at + 8);
  return bytes;
}
