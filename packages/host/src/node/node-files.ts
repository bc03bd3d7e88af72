/** Files and folders of the real machine. Blocking calls are for metadata and the page cache; see `Files`. */
import {
  close,
  closeSync,
  constants,
  fsync,
  fsyncSync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statfsSync,
  statSync,
  unlinkSync,
} from "node:fs";
import type { FileLock, FileStat, Files, OpenOptions } from "../files.ts";
import type { HostError } from "../host-error.ts";
import { lockFile } from "./file-lock.ts";
import { Lanes } from "./lanes.ts";
import { NodeOpenFile } from "./node-open-file.ts";
import { toHostError } from "./to-host-error.ts";

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

export class NodeFiles implements Files {
  readonly #lanes = new Lanes();
  readonly #lockerSearchPath: string;

  /** `lockerSearchPath` (PATH's syntax) says where locker programs are looked for. */
  constructor(lockerSearchPath: string) {
    this.#lockerSearchPath = lockerSearchPath;
  }

  openSync(path: string, options: OpenOptions = {}): NodeOpenFile {
    const { create = false, exclusive = false, writable = true } = options;
    let flags = writable ? constants.O_RDWR : constants.O_RDONLY;
    if (create || exclusive) flags |= constants.O_CREAT;
    if (exclusive) flags |= constants.O_EXCL;
    return new NodeOpenFile(
      path,
      attempt(`open ${path}`, () => openSync(path, flags, 0o644)),
      this.#lanes,
    );
  }

  makeFolderSync(path: string): void {
    attempt(`create folder ${path}`, () => mkdirSync(path, { recursive: true }));
  }

  listSync(path: string): string[] {
    return attempt(`list ${path}`, () => readdirSync(path));
  }

  statSync(path: string): FileStat | undefined {
    const stats = attempt(`stat ${path}`, () => statSync(path, { throwIfNoEntry: false }));
    if (stats === undefined) return undefined;
    return {
      sizeBytes: stats.size,
      isFolder: stats.isDirectory(),
      allocatedBytes: stats.blocks * 512,
      modifiedMs: Math.floor(stats.mtimeMs),
      inode: stats.ino,
    };
  }

  readWholeSync(path: string): Uint8Array | undefined {
    return attempt(`read ${path}`, () => {
      try {
        return readFileSync(path);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }

  renameSync(from: string, to: string): void {
    attempt(`rename ${from} to ${to}`, () => renameSync(from, to));
  }

  unlinkSync(path: string): void {
    attempt(`remove ${path}`, () => {
      try {
        unlinkSync(path);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  removeFolderSync(path: string): void {
    attempt(`remove folder ${path}`, () => rmdirSync(path));
  }

  syncFolder(path: string, done: (error: HostError | undefined) => void): void {
    this.#lanes.run("other", (finished) => {
      const finish = (error: NodeJS.ErrnoException | null): void => {
        finished();
        done(error === null ? undefined : toHostError(error, `sync folder ${path}`));
      };
      open(path, constants.O_RDONLY, (openError, fd) => {
        if (openError !== null) return finish(openError);
        return fsync(fd, (syncError) => close(fd, (closeError) => finish(syncError ?? closeError ?? null)));
      });
    });
  }

  syncFolderSync(path: string): void {
    attempt(`sync folder ${path}`, () => {
      const fd = openSync(path, constants.O_RDONLY);
      try {
        fsyncSync(fd);
      } finally {
        closeSync(fd);
      }
    });
  }

  lockSync(path: string): FileLock {
    let isNew = true;
    let file: NodeOpenFile;
    try {
      file = this.openSync(path, { exclusive: true });
    } catch (error) {
      if ((error as HostError).code !== "EEXIST") throw error;
      isNew = false;
      file = this.openSync(path, { create: true });
    }
    return lockFile(file, this.#lockerSearchPath, isNew);
  }

  spaceSync(path: string): { readonly freeBytes: number; readonly totalBytes: number } {
    const { bavail, bfree, blocks, bsize } = attempt(`statfs ${path}`, () => statfsSync(path));
    return { freeBytes: bavail * bsize, totalBytes: (blocks - bfree + bavail) * bsize };
  }
}

function attempt<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toHostError(error, what);
  }
}
