/**
 * The CommitLog's files (RocketMQ: MappedFileQueue, MultiPathMappedFileQueue): segments of one length, named by
 * the offset of their first byte, without gaps. A segment has its full length from the start, sparse; Java
 * refuses any other. They may lie in several folders, of which new ones get theirs in turn (log-folders.ts).
 *
 * Segments being written keep their handle; older ones are opened for reading when needed (open-file-cache.ts).
 */
import { assert, type Files, type OpenFile } from "@orbitmq/host";
import type { OpenFileCache } from "../open-file-cache.ts";
import { StoreError } from "../store-error.ts";
import { offsetName, parseOffsetName } from "../store-paths.ts";
import type { LogFolders } from "./log-folders.ts";

export interface Segment {
  readonly start: number;
  readonly folder: string;
  readonly path: string;
  /** Kept open while the segment may still be written. */
  writer: OpenFile | undefined;
  /** Its folder entry may not be on disk yet. */
  unlisted: boolean;
}

const BLANK_CHUNK_BYTES = 1024 * 1024;

export class SegmentSet {
  readonly segmentBytes: number;
  readonly folders: LogFolders;
  readonly #files: Files;
  readonly #cache: OpenFileCache;
  readonly #segments: Segment[] = [];
  #shortEnd: number | undefined;

  constructor(files: Files, folders: LogFolders, segmentBytes: number, cache: OpenFileCache) {
    this.#files = files;
    this.folders = folders;
    this.segmentBytes = segmentBytes;
    this.#cache = cache;
  }

  /** First offset still stored; 0 in an empty log. */
  get minOffset(): number {
    return this.#segments[0]?.start ?? 0;
  }

  /** End of the last segment's file; 0 in an empty log. */
  get fileEnd(): number {
    const last = this.#segments[this.#segments.length - 1];
    return last === undefined ? 0 : last.start + this.segmentBytes;
  }

  /** Where the last file ended when it was found shorter than a segment. */
  get shortEnd(): number | undefined {
    return this.#shortEnd;
  }

  get all(): readonly Segment[] {
    return this.#segments;
  }

  /**
   * Finds the files. Throws StoreError DAMAGED when one is missing in the middle or not as long as a segment, or
   * when the names do not fit the segment length. Where nothing was on disk yet, from `durableEnd` on, a crash
   * may have left just that: a file that is too short gets its length, and what lies behind a gap goes. `isTorn`: the
   * store was not stopped in order, and nobody knows how much was on disk: nothing was where files hold only zeros.
   */
  load(durableEnd: number, isTorn = false): void {
    const found: { start: number; folder: string }[] = [];
    for (const folder of this.folders.all) {
      for (const name of this.#files.listSync(folder)) {
        const start = parseOffsetName(name);
        if (start !== undefined) found.push({ start, folder });
      }
    }
    found.sort((a, b) => a.start - b.start);
    for (const [index, { start, folder }] of found.entries()) {
      const holdsNothing = (from: number) =>
        isTorn && found.slice(from).every((file) => isBlank(this.#files, pathOf(file)));
      const isBehindGap = this.#segments.length > 0 && start > this.fileEnd;
      if (isBehindGap && (this.fileEnd >= durableEnd || holdsNothing(index))) {
        this.#files.unlinkSync(pathOf({ start, folder }));
      } else {
        this.#loadOne(
          start,
          folder,
          (end) => index === found.length - 1 || end >= durableEnd || holdsNothing(index + 1),
        );
      }
    }
  }

  /** The segment that holds `offset`. */
  at(offset: number): Segment | undefined {
    const index = (offset - (offset % this.segmentBytes) - this.minOffset) / this.segmentBytes;
    return this.#segments[index];
  }

  /**
   * Creates the next segment with its full length; its folder entry is not durable yet. That of the segment before
   * is, so that a power loss leaves no gap: where no sync has seen to it, this one blocks. Throws HostError.
   */
  create(start: number): Segment {
    assert(start % this.segmentBytes === 0, "a segment starts at a multiple of its length");
    assert(this.#segments.length === 0 || start === this.fileEnd, "segments have no gaps");
    const before = this.#segments.at(-1);
    if (before?.unlisted === true) {
      this.#files.syncFolderSync(before.folder);
      before.unlisted = false;
    }
    const folder = this.folders.forNew(start / this.segmentBytes);
    const path = `${folder}/${offsetName(start)}`;
    const writer = this.#files.openSync(path, { create: true });
    try {
      writer.truncateSync(this.segmentBytes);
    } catch (error) {
      writer.closeSync();
      this.#files.unlinkSync(path);
      throw error;
    }
    const segment: Segment = { start, folder, path, writer, unlisted: true };
    this.#segments.push(segment);
    return segment;
  }

  /** A handle that writes to the segment; stays open until `retire`. */
  writer(segment: Segment): OpenFile {
    segment.writer ??= this.#files.openSync(segment.path);
    return segment.writer;
  }

  reader(segment: Segment): OpenFile {
    return segment.writer ?? this.#cache.get(segment.path, !this.folders.isReadOnly(segment.folder));
  }

  /** Nothing below `offset` will be written any more. */
  retire(offset: number): void {
    for (let index = this.#segments.length - 1; index >= 0; index -= 1) {
      const segment = this.#segments[index]!;
      if (segment.start + this.segmentBytes > offset) continue;
      if (segment.writer === undefined) return;
      segment.writer.closeSync();
      segment.writer = undefined;
    }
  }

  /** Removes segments that start at or behind `offset`, newest first; the folder is synced by the caller. */
  removeFrom(offset: number): number {
    let removed = 0;
    for (let last = this.#segments.at(-1); last !== undefined && last.start >= offset; ) {
      last.writer?.closeSync();
      this.#cache.close(last.path);
      this.#files.unlinkSync(last.path);
      this.#segments.pop();
      removed += 1;
      last = this.#segments.at(-1);
    }
    return removed;
  }

  /** Removes the oldest segment, never the last; its folder is synced by the caller. Throws HostError. */
  removeOldest(): Segment {
    const oldest = this.#segments[0];
    assert(oldest !== undefined && this.#segments.length > 1, "the last segment stays");
    assert(oldest.writer === undefined, "nobody writes to the oldest segment");
    this.#cache.close(oldest.path);
    this.#files.unlinkSync(oldest.path);
    this.#segments.shift();
    return oldest;
  }

  /** Makes the names in every folder that may have changed durable, blocking. Throws HostError. */
  syncFoldersSync(): void {
    for (const folder of this.folders.writable) this.#files.syncFolderSync(folder);
  }

  closeAll(): void {
    for (const segment of this.#segments) {
      segment.writer?.closeSync();
      segment.writer = undefined;
    }
  }

  /** `mayEnd` says whether a crash may have left the log with this end. */
  #loadOne(start: number, folder: string, mayEnd: (end: number) => boolean): void {
    const path = pathOf({ start, folder });
    const damaged = (what: string) => new StoreError("DAMAGED", `${path} ${what}`);
    if (start % this.segmentBytes !== 0) {
      throw damaged(`does not start at a multiple of mappedFileSizeCommitLog (${this.segmentBytes})`);
    }
    const before = this.#segments.at(-1);
    if (before?.start === start) throw damaged(`is also in ${before.folder}; take the wrong one away`);
    if (this.#segments.length > 0 && start !== this.fileEnd) {
      const from = `${this.folders.all.join(" or ")}/${offsetName(this.fileEnd)}`;
      throw new StoreError(
        "DAMAGED",
        `the CommitLog has a gap: ${from} is missing (offsets ${this.fileEnd} to ${start}); ` +
          "bring the file back from a copy, or move the older or the newer side of the gap elsewhere",
      );
    }
    const sizeBytes = this.#files.statSync(path)?.sizeBytes ?? 0;
    if (sizeBytes > this.segmentBytes) {
      throw damaged(`has ${sizeBytes} bytes, a segment has ${this.segmentBytes} (mappedFileSizeCommitLog)`);
    }
    const segment: Segment = { start, folder, path, writer: undefined, unlisted: false };
    if (sizeBytes < this.segmentBytes) {
      if (!mayEnd(start + sizeBytes)) {
        throw damaged(`has ${sizeBytes} bytes, a segment has ${this.segmentBytes}: it was cut off`);
      }
      this.#shortEnd ??= start + sizeBytes;
      segment.writer = this.#files.openSync(path);
      segment.writer.truncateSync(this.segmentBytes);
    }
    this.#segments.push(segment);
  }
}

function pathOf({ start, folder }: { readonly start: number; readonly folder: string }): string {
  return `${folder}/${offsetName(start)}`;
}

/** Whether the file holds zeros only. */
function isBlank(files: Files, path: string): boolean {
  const file = files.openSync(path, { writable: false });
  try {
    const sizeBytes = file.sizeSync();
    const bytes = Buffer.allocUnsafe(Math.min(sizeBytes, BLANK_CHUNK_BYTES));
    const zeros = Buffer.alloc(bytes.length);
    for (let at = 0; at < sizeBytes; ) {
      const count = file.readSync(bytes.subarray(0, Math.min(bytes.length, sizeBytes - at)), at);
      if (count === 0) return true;
      if (!bytes.subarray(0, count).equals(zeros.subarray(0, count))) return false;
      at += count;
    }
    return true;
  } finally {
    file.closeSync();
  }
}
