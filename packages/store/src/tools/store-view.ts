/**
 * A store as it lies on disk, for tools that only read: nothing is locked, created or changed, so that it also works
 * while a server has the store open. What was last known to be on disk, the flushed mark, bounds what is looked at;
 * a store without our mark is looked at to the end of its records.
 */
import { type Files, HostError, type OpenFile } from "@orbitmq/host";
import { readInt64 } from "@orbitmq/wire";
import { UNIT_BYTES } from "../consume-queue/consume-queue.ts";
import { type Mark, MarkFile } from "../recovery/mark-file.ts";
import { StoreError } from "../store-error.ts";
import { offsetName, parseOffsetName, type StorePaths, storePaths } from "../store-paths.ts";

export interface ViewOptions {
  /** storePathRootDir. */
  readonly home: string;
  /** Folders of the CommitLog, separated by `,`; default (empty) `commitlog` in `home`. */
  readonly storePathCommitLog?: string;
  /** More of them, which are only read; separated by `,`. */
  readonly readOnlyCommitLogStorePaths?: string;
}

export interface LogFile {
  /** Offset of its first byte. */
  readonly start: number;
  readonly path: string;
}

export interface QueueUnit {
  readonly position: number;
  readonly size: number;
  readonly tagsCode: number;
}

const OPEN_FILES_MAX = 64;

export class StoreView {
  readonly files: Files;
  readonly paths: StorePaths;
  /** Ascending, without gaps. */
  readonly logFiles: readonly LogFile[];
  readonly segmentBytes: number;
  readonly mark: Mark | undefined;
  readonly #open = new Map<string, OpenFile>();
  readonly #unit = Buffer.alloc(UNIT_BYTES);
  /** Names and starts of the files of queues that were asked for. */
  readonly #queueFiles = new Map<string, { readonly starts: readonly number[]; readonly bytes: number }>();

  /** Throws StoreError NO_STORE, DAMAGED when a segment is missing or of another length, VERSION; HostError. */
  constructor(files: Files, options: ViewOptions) {
    const { home } = options;
    this.files = files;
    this.paths = storePaths(home);
    const folders = logFolders(options, this.paths.commitLog);
    if (folders.every((folder) => files.statSync(folder)?.isFolder !== true)) {
      throw new StoreError("NO_STORE", `there is no store in ${home}`);
    }
    this.mark = new MarkFile(files, this.paths.mark).load();
    this.logFiles = listLog(files, folders);
    const first = this.logFiles[0];
    const lengthBytes = first === undefined ? 0 : (files.statSync(first.path)?.sizeBytes ?? 0);
    this.segmentBytes = this.mark?.segmentBytes ?? lengthBytes;
    for (const [index, { start, path }] of this.logFiles.entries()) {
      if (start === first!.start + index * this.segmentBytes) continue;
      throw new StoreError(
        "DAMAGED",
        `the CommitLog has a gap, or files of different lengths, before ${path}`,
      );
    }
  }

  /** First offset that is stored. */
  get minOffset(): number {
    return this.logFiles[0]?.start ?? 0;
  }

  /** End of the last file. */
  get fileEnd(): number {
    return this.minOffset + this.logFiles.length * this.segmentBytes;
  }

  /** What is looked at: the flushed mark, or the end of the files. */
  get limit(): number {
    return Math.min(this.mark?.flushedOffset ?? this.fileEnd, this.fileEnd);
  }

  /** Units of all records below are in the queues' files; 0 when unknown. */
  get dispatched(): number {
    return this.mark?.dispatchedOffset ?? 0;
  }

  fileAt(offset: number): LogFile | undefined {
    return this.logFiles[Math.floor((offset - this.minOffset) / this.segmentBytes)];
  }

  /** Whether the file that holds `offset` has gone since: a running store deletes what is old. */
  isGone(offset: number): boolean {
    const file = this.fileAt(offset);
    return file !== undefined && this.files.statSync(file.path) === undefined;
  }

  /** Reads the log into `into`, within one file; returns how many bytes there were. Throws HostError. */
  readLog(offset: number, into: Uint8Array): number {
    const file = this.fileAt(offset);
    return file === undefined ? 0 : this.open(file.path).readSync(into, offset - file.start);
  }

  /** All queues by their folders. */
  *queues(): Generator<{ topic: string; queueId: number }> {
    const root = this.paths.consumeQueue;
    if (this.files.statSync(root)?.isFolder !== true) return;
    for (const topic of this.files.listSync(root)) {
      if (this.files.statSync(`${root}/${topic}`)?.isFolder !== true) continue;
      for (const name of this.files.listSync(`${root}/${topic}`)) {
        if (/^\d{1,9}$/.test(name)) yield { topic, queueId: Number(name) };
      }
    }
  }

  /** The files of a queue: first unit of each, ascending, and the length of one. */
  queueFiles(topic: string, queueId: number): { readonly starts: readonly number[]; readonly bytes: number } {
    const folder = `${this.paths.consumeQueue}/${topic}/${queueId}`;
    const known = this.#queueFiles.get(folder);
    if (known !== undefined) return known;
    const found: number[] = [];
    if (this.files.statSync(folder)?.isFolder === true) {
      for (const name of this.files.listSync(folder)) {
        const start = parseOffsetName(name);
        if (start !== undefined) found.push(start);
      }
    }
    found.sort((a, b) => a - b);
    const first = found[0];
    const bytes =
      first === undefined ? 0 : (this.files.statSync(`${folder}/${offsetName(first)}`)?.sizeBytes ?? 0);
    const files = { starts: found.map((start) => start / UNIT_BYTES), bytes };
    this.#queueFiles.set(folder, files);
    return files;
  }

  /** The unit at a queue offset; `undefined` when no file holds it. Throws HostError. */
  unitAt(topic: string, queueId: number, offset: number): QueueUnit | undefined {
    const { bytes } = this.queueFiles(topic, queueId);
    if (bytes < UNIT_BYTES) return undefined;
    const at = offset * UNIT_BYTES;
    const path = `${this.paths.consumeQueue}/${topic}/${queueId}/${offsetName(at - (at % bytes))}`;
    const file = this.tryOpen(path);
    if (file === undefined || file.readSync(this.#unit, at % bytes) < UNIT_BYTES) return undefined;
    return {
      position: readInt64(this.#unit, 0),
      size: this.#unit.readInt32BE(8),
      tagsCode: readInt64(this.#unit, 12),
    };
  }

  /** A file for reading; valid until the next call. Throws HostError. */
  open(path: string): OpenFile {
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    const file = this.files.openSync(path, { writable: false });
    this.#open.set(path, file);
    if (this.#open.size > OPEN_FILES_MAX) {
      for (const [oldest, handle] of this.#open) {
        handle.closeSync();
        this.#open.delete(oldest);
        break;
      }
    }
    return file;
  }

  tryOpen(path: string): OpenFile | undefined {
    try {
      return this.open(path);
    } catch (error) {
      if (error instanceof HostError && error.code === "ENOENT") return undefined;
      throw error;
    }
  }

  close(): void {
    for (const file of this.#open.values()) file.closeSync();
    this.#open.clear();
  }
}

function logFolders(
  { storePathCommitLog, readOnlyCommitLogStorePaths }: ViewOptions,
  usual: string,
): string[] {
  const named = `${storePathCommitLog || usual},${readOnlyCommitLogStorePaths ?? ""}`.split(",");
  return [
    ...new Set(named.map((folder) => folder.trim().replace(/\/+$/, "")).filter((folder) => folder !== "")),
  ];
}

function listLog(files: Files, folders: readonly string[]): LogFile[] {
  const found: LogFile[] = [];
  for (const folder of folders) {
    if (files.statSync(folder)?.isFolder !== true) continue;
    for (const name of files.listSync(folder)) {
      const start = parseOffsetName(name);
      if (start !== undefined) found.push({ start, path: `${folder}/${name}` });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}
