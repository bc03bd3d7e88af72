/**
 * Copies a store, running or stopped, into a folder that can be opened as a store. Small state (consumer offsets,
 * topics, groups) is read first and put in place last: what was committed before the log is copied lies in the log
 * that is copied, and a copy that was broken off has older offsets than log. Consumers of a restored copy may get
 * messages twice, and skip none.
 *
 *   read config/*.json → copy the log → read the copy back and check it → orbitmq-mark → config/*.json
 *   → orbitmq-backup.json
 *
 * The log is copied to the end of its whole records, at least to the flushed mark. A segment that is full is copied
 * once: the next backup into the same folder finds its checksum in orbitmq-backup.json and leaves it. Queues and
 * indexes are not copied; the first start of the copy makes them from the log. The copy's own mark says how far the
 * log goes, so that damage in it is refused at that start and not taken for its end.
 *
 *   orbitmq-backup.json: {"version":1,"madeMs":…,"segmentBytes":…,"minOffset":…,"end":…,
 *                         "segments":[{"start":…,"crc":…},…]}        (full segments only)
 */
import { type Files, type Host, HostError, type OpenFile } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import { makeDurableFolder } from "../make-durable-folder.ts";
import { CHECKPOINT_FIELDS_BYTES } from "../recovery/checkpoint-file.ts";
import { MarkFile } from "../recovery/mark-file.ts";
import { StoreError } from "../store-error.ts";
import { offsetName } from "../store-paths.ts";
import type { DumpedDamage } from "./dump-store.ts";
import { walkLog } from "./log-walk.ts";
import { StoreView, type ViewOptions } from "./store-view.ts";
import type { Progress } from "./verify-store.ts";

/** Raised when older versions would misread the file. */
export const BACKUP_VERSION = 1;

export interface BackupReport {
  readonly minOffset: number;
  /** End of the copied log. */
  readonly end: number;
  readonly records: number;
  /** Bytes of log that were copied now, and that were there from before. */
  readonly copiedBytes: number;
  readonly keptBytes: number;
  readonly stateFiles: readonly string[];
  /** Places of the copied log that hold no record; the source has them too. */
  readonly damages: readonly DumpedDamage[];
}

interface SegmentSum {
  readonly start: number;
  readonly crc: number;
}

interface Manifest {
  readonly version: number;
  readonly madeMs: number;
  readonly segmentBytes: number;
  readonly minOffset: number;
  readonly end: number;
  readonly segments: readonly SegmentSum[];
}

/** How often the copy begins again because the log's begin has moved. */
const ATTEMPTS = 5;
const CHUNK_BYTES = 1024 * 1024;
/** Ours beside the JSON files that a copy keeps. */
const STATE_FILES = ["orbitmq-skips.json"];

/**
 * Blocking. Throws StoreError DAMAGED when the copy is not what the log is; ILLEGAL_OPTION when `to` holds something else; VERSION when a newer version has made it; HostError.
 */
export function backupStore(
  host: Pick<Host, "files" | "clock">,
  options: ViewOptions,
  to: string,
  progress: Progress = () => {},
): BackupReport {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return new Backup(host.files, options, to, progress).run(host.clock.wallMs());
    } catch (error) {
      // A running store has deleted an old segment meanwhile: the log begins later now.
      const isMissing = error instanceof HostError && error.code === "ENOENT";
      if (!isMissing || attempt === ATTEMPTS) throw error;
    }
  }
}

class Backup {
  readonly #files: Files;
  readonly #options: ViewOptions;
  readonly #to: string;
  readonly #progress: Progress;
  #copied = 0;
  #kept = 0;
  #records = 0;
  readonly #damages: DumpedDamage[] = [];

  constructor(files: Files, options: ViewOptions, to: string, progress: Progress) {
    this.#files = files;
    this.#options = options;
    this.#to = to;
    this.#progress = progress;
  }

  run(madeMs: number): BackupReport {
    const before = this.#earlier();
    const state = this.#readState();
    const view = new StoreView(this.#files, this.#options);
    try {
      if (before !== undefined && before.segmentBytes !== view.segmentBytes) {
        throw new StoreError("ILLEGAL_OPTION", `${this.#to} is a copy of a store with other segments`);
      }
      if (before !== undefined && (before.end > view.fileEnd || before.end < view.minOffset)) {
        throw new StoreError(
          "ILLEGAL_OPTION",
          `${this.#to} is a copy of another store, or ends before this one begins`,
        );
      }
      const end = logEnd(view);
      const segments = this.#copyLog(view, end, before);
      this.#writeMark(view, end);
      this.#writeState(state);
      const { minOffset, segmentBytes } = view;
      const manifest: Manifest = { version: BACKUP_VERSION, madeMs, segmentBytes, minOffset, end, segments };
      replaceSync(
        this.#files,
        `${this.#to}/orbitmq-backup.json`,
        Buffer.from(`${JSON.stringify(manifest)}\n`),
      );
      this.#files.syncFolderSync(this.#to);
      return {
        minOffset,
        end,
        records: this.#records,
        copiedBytes: this.#copied,
        keptBytes: this.#kept,
        stateFiles: [...state.keys()],
        damages: this.#damages,
      };
    } finally {
      view.close();
    }
  }

  /** What an earlier backup into the folder says; `undefined` when there is none. */
  #earlier(): Manifest | undefined {
    const files = this.#files;
    const path = `${this.#to}/orbitmq-backup.json`;
    const bytes = files.statSync(this.#to) === undefined ? undefined : files.readWholeSync(path);
    if (files.statSync(`${this.#to}/consumequeue`) !== undefined) {
      throw new StoreError(
        "ILLEGAL_OPTION",
        `${this.#to} has been opened as a store: it is no backup any more`,
      );
    }
    if (bytes !== undefined) return parseManifest(path, Buffer.from(bytes).toString());
    const isUsed = ["commitlog", "checkpoint", "orbitmq-mark"].some(
      (name) => files.statSync(`${this.#to}/${name}`) !== undefined,
    );
    if (isUsed && files.statSync(`${this.#to}/orbitmq-backup.started`) === undefined) {
      throw new StoreError("ILLEGAL_OPTION", `${this.#to} holds a store that is no backup`);
    }
    makeDurableFolder(files, this.#to);
    files.makeFolderSync(`${this.#to}/commitlog`);
    files.openSync(`${this.#to}/orbitmq-backup.started`, { create: true }).closeSync();
    return undefined;
  }

  #readState(): Map<string, Uint8Array> {
    const { files, home } = { files: this.#files, home: this.#options.home };
    const state = new Map<string, Uint8Array>();
    const names = STATE_FILES.slice();
    if (files.statSync(`${home}/config`)?.isFolder === true) {
      for (const name of files.listSync(`${home}/config`)) {
        // A file between its two renames is missing for a moment: its backup is the newest then.
        if (/(\.json|^timercheck)(\.bak)?$/.test(name)) names.push(`config/${name}`);
      }
    }
    for (const name of names) {
      const bytes = files.readWholeSync(`${home}/${name}`);
      if (bytes !== undefined) state.set(name, bytes);
    }
    return state;
  }

  #writeState(state: ReadonlyMap<string, Uint8Array>): void {
    this.#files.makeFolderSync(`${this.#to}/config`);
    for (const [name, bytes] of state) replaceSync(this.#files, `${this.#to}/${name}`, bytes);
    this.#files.syncFolderSync(`${this.#to}/config`);
  }

  #writeMark(view: StoreView, end: number): void {
    const mark = new MarkFile(this.#files, `${this.#to}/orbitmq-mark`);
    mark.load();
    mark.open();
    mark.saveSync({
      state: "stopped",
      nonce: view.mark?.nonce ?? 0,
      flushedOffset: end,
      dispatchedOffset: 0,
      writeLimit: end,
      truncateTo: -1,
      lastStoreTimestamp: view.mark?.lastStoreTimestamp ?? 0,
      segmentBytes: view.segmentBytes,
      checkpoint: new Uint8Array(CHECKPOINT_FIELDS_BYTES),
      unsealedTo: 0,
    });
    mark.close();
  }

  #copyLog(view: StoreView, end: number, before: Manifest | undefined): SegmentSum[] {
    const sums: SegmentSum[] = [];
    for (const { start } of view.logFiles) {
      if (start >= end) break;
      const isFull = start + view.segmentBytes <= end;
      const path = `${this.#to}/commitlog/${offsetName(start)}`;
      const known = isFull ? before?.segments.find((sum) => sum.start === start) : undefined;
      if (known !== undefined && this.#files.statSync(path)?.sizeBytes === view.segmentBytes) {
        this.#kept += view.segmentBytes;
        sums.push(known);
      } else {
        const to = Math.min(end, start + view.segmentBytes);
        const crc = this.#copySegment(view, start, to, path, before?.end ?? to);
        this.#check(view, start, to);
        if (isFull) sums.push({ start, crc });
      }
      this.#tell(view, end);
    }
    this.#files.syncFolderSync(`${this.#to}/commitlog`);
    return sums;
  }

  /** `wasEnd`: where an earlier copy of the log ended. */
  #copySegment(view: StoreView, start: number, end: number, path: string, wasEnd: number): number {
    const file = this.#files.openSync(path, { create: true });
    try {
      // Over what an earlier copy has: broken off at any moment, that one is still whole. A log that was cut since
      // leaves nothing behind its end.
      if (wasEnd > end) file.truncateSync(end - start);
      file.truncateSync(view.segmentBytes);
      let crc = 0;
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, view.segmentBytes));
      for (let at = start; at < end; ) {
        const bytes = chunk.subarray(0, Math.min(chunk.length, end - at));
        bytes.fill(0, view.readLog(at, bytes));
        crc = plainCrc32(bytes, crc);
        file.writeSync(bytes, at - start);
        at += bytes.length;
        this.#copied += bytes.length;
        this.#tell(view, end);
      }
      file.fdatasyncSync();
      this.#compare(file, path, end - start, crc);
      return crc;
    } finally {
      file.closeSync();
    }
  }

  /** Reads back what was written. */
  #compare(file: OpenFile, path: string, length: number, crc: number): void {
    const chunk = Buffer.allocUnsafe(Math.max(1, Math.min(CHUNK_BYTES, length)));
    let read = 0;
    for (let at = 0; at < length; ) {
      const bytes = chunk.subarray(0, Math.min(chunk.length, length - at));
      const count = file.readSync(bytes, at);
      if (count === 0) break;
      read = plainCrc32(bytes.subarray(0, count), read);
      at += count;
    }
    if (read !== crc) throw new StoreError("DAMAGED", `${path} is not what was written to it`);
  }

  /** Every record of a segment that was copied now; what was kept was checked when it was copied. */
  #check(view: StoreView, start: number, end: number): void {
    const copy = new StoreView(this.#files, { home: this.#to });
    try {
      for (const entry of walkLog(copy, start, end, true)) {
        if (entry.kind === "record") this.#records += 1;
        else {
          const { position, reason } = entry;
          const file = view.fileAt(position)?.path ?? "";
          this.#damages.push({ kind: "damage", physicalOffset: position, end: entry.end, file, reason });
        }
      }
    } finally {
      copy.close();
    }
  }

  #tell(view: StoreView, end: number): void {
    this.#progress(this.#copied + this.#kept, end - view.minOffset);
  }
}

/** Where the whole records of the log end; not before the flushed mark. */
function logEnd(view: StoreView): number {
  const { mark, minOffset, segmentBytes, fileEnd } = view;
  const flushed = view.limit;
  // Only what may have grown since the mark is walked here; all of it is checked in the copy.
  const from =
    mark === undefined ? minOffset : Math.max(minOffset, flushed - ((flushed - minOffset) % segmentBytes));
  let end = from;
  for (const entry of walkLog(view, from, fileEnd, false)) {
    if (entry.kind === "damage" && entry.position >= flushed) break;
    end = entry.kind === "damage" ? entry.end : entry.position + entry.size;
  }
  if (mark !== undefined && end < flushed) end = flushed;
  return end;
}

function parseManifest(path: string, text: string): Manifest {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(text) as Partial<Manifest>;
  } catch (error) {
    throw new StoreError("DAMAGED", `${path} cannot be read; remove the folder and make a new backup`, {
      cause: error,
    });
  }
  const { version, segmentBytes, end, segments } = manifest;
  if (typeof version === "number" && version > BACKUP_VERSION) {
    throw new StoreError(
      "VERSION",
      `${path} has format ${version}, this version knows ${BACKUP_VERSION}: use a newer OrbitMQ`,
    );
  }
  if (![segmentBytes, end].every(Number.isSafeInteger) || !Array.isArray(segments)) {
    throw new StoreError("DAMAGED", `${path} cannot be read; remove the folder and make a new backup`);
  }
  return manifest as Manifest;
}

/** Writes a file so that it is either the old or the new one after a crash. Throws HostError. */
function replaceSync(files: Files, path: string, bytes: Uint8Array): void {
  const temporary = `${path}.tmp`;
  const file = files.openSync(temporary, { create: true });
  try {
    file.truncateSync(0);
    file.writeSync(bytes, 0);
    file.fdatasyncSync();
  } finally {
    file.closeSync();
  }
  files.renameSync(temporary, path);
}
