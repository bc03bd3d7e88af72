/**
 * Files as a log needs them. Calls ending in `Sync` block (metadata and page-cache writes are microseconds);
 * the ones with a callback run on the thread pool in a *lane*, so that a log's sync always finds a free
 * thread: `log` has one thread of its own, `cold` (catch-up reads) at most two operations in flight, `other`
 * at most one. Lanes queue in order of arrival.
 *
 * Every call that fails throws, or passes, a {@link HostError}. No call retries.
 */
import type { HostError } from "./host-error.ts";

export type Lane = "log" | "cold" | "other";

export interface OpenOptions {
  /** Create the file when it is missing (default false). The folder entry is durable only after `syncFolder`. */
  readonly create?: boolean;
  /** Fail with EEXIST when the file exists; implies `create`. */
  readonly exclusive?: boolean;
  /** Default true. */
  readonly writable?: boolean;
}

export interface OpenFile {
  readonly path: string;
  /** Current length in bytes. */
  sizeSync(): number;
  /** Writes all of `bytes` at `position` into the page cache, or throws. */
  writeSync(bytes: Uint8Array, position: number): void;
  /** Reads up to `into.length` bytes at `position`; returns how many were read (short only at end of file). */
  readSync(into: Uint8Array, position: number): number;
  /** As `readSync`, on the thread pool. `into` must not be touched until `done`. */
  read(
    lane: Lane,
    into: Uint8Array,
    position: number,
    done: (error: HostError | undefined, bytesRead: number) => void,
  ): void;
  /** As `writeSync`, on the thread pool. `bytes` must not change until `done`. */
  write(lane: Lane, bytes: Uint8Array, position: number, done: (error: HostError | undefined) => void): void;
  /** Makes every write that returned before this call durable, data and length. */
  fdatasync(lane: Lane, done: (error: HostError | undefined) => void): void;
  /** Blocking; for start, recovery and stop only. */
  fdatasyncSync(): void;
  /** Sets the length; a longer file reads as zeros (sparse). */
  truncateSync(lengthBytes: number): void;
  /** Idempotent. Operations in flight still call back. */
  closeSync(): void;
}

export interface FileStat {
  readonly sizeBytes: number;
  readonly isFolder: boolean;
  /** Blocks the disk has given the file, in bytes: less than its size where it is sparse. */
  readonly allocatedBytes: number;
  /** Wall ms of the last change of the content. */
  readonly modifiedMs: number;
  /** Identifies the file within its device; used to recognise locks other programs hold. */
  readonly inode: number;
}

/** An exclusive lock held by the kernel; it vanishes with the process, however the process ends. */
export interface FileLock {
  release(): void;
}

export interface Files {
  openSync(path: string, options?: OpenOptions): OpenFile;
  /** Creates the folder and its parents; existing ones are fine. */
  makeFolderSync(path: string): void;
  /** Entry names in no particular order; ENOENT when the folder is missing. */
  listSync(path: string): string[];
  /** `undefined` when nothing is there. */
  statSync(path: string): FileStat | undefined;
  /** The whole file; `undefined` when it is missing. For small files and start-up. */
  readWholeSync(path: string): Uint8Array | undefined;
  renameSync(from: string, to: string): void;
  /** Removing what is missing is fine. */
  unlinkSync(path: string): void;
  /** Removes an empty folder. */
  removeFolderSync(path: string): void;
  /** Makes creations, renames and removals in this folder durable. */
  syncFolder(path: string, done: (error: HostError | undefined) => void): void;
  /** Blocking; for start, recovery and stop only. */
  syncFolderSync(path: string): void;
  /**
   * Takes the exclusive lock on `path` (created when missing). Throws ELOCKED with the holder in the message
   * when somebody has it (a Java broker on the same store included), ENOLOCK when this machine offers no lock.
   */
  lockSync(path: string): FileLock;
  /** Free and total bytes of the file system that holds `path`; what is set aside for root is in neither. */
  spaceSync(path: string): { readonly freeBytes: number; readonly totalBytes: number };
}
