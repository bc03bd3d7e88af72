/**
 * Files that live in this process only: what `store: "memory"` runs the ordinary store on, so that a test has
 * the same code under it as production. Syncs succeed at once and mean nothing; a process that ends takes all
 * with it.
 *
 * Content is kept in pages of 64 KiB. Absent pages read as zeros; writing zeros to one only reserves it, so that
 * the log's zeroing ahead costs no memory but counts against the budget (as on a disk, an append into zeroed
 * space cannot find the disk full).
 */
import {
  type FileStat,
  type Files,
  type Host,
  HostError,
  type Lane,
  type OpenFile,
  type OpenOptions,
} from "@orbitmq/host";

const PAGE_BYTES = 65_536;

/** Default budget of {@link memoryFiles}. */
export const MEMORY_BYTES_MAX = 1_073_741_824;

/** `null` marks a reserved page of zeros. */
type Page = Uint8Array | null;

interface Content {
  readonly inode: number;
  readonly pages: Map<number, Page>;
  sizeBytes: number;
  modifiedMs: number;
}

interface Budget {
  readonly bytesMax: number;
  usedBytes: number;
}

const isZero = (bytes: Uint8Array): boolean => {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
};

class MemoryFile implements OpenFile {
  readonly path: string;
  readonly #content: Content;
  readonly #budget: Budget;
  readonly #host: Pick<Host, "clock" | "timers">;
  readonly #writable: boolean;
  #closed = false;

  constructor(
    host: Pick<Host, "clock" | "timers">,
    options: { path: string; content: Content; budget: Budget; writable: boolean },
  ) {
    this.#host = host;
    this.path = options.path;
    this.#content = options.content;
    this.#budget = options.budget;
    this.#writable = options.writable;
  }

  sizeSync(): number {
    return this.#content.sizeBytes;
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.#check(true);
    const { pages } = this.#content;
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((position + done) / PAGE_BYTES);
      const from = (position + done) % PAGE_BYTES;
      const part = bytes.subarray(done, done + Math.min(PAGE_BYTES - from, bytes.length - done));
      let page = pages.get(index);
      if (page === undefined) this.#reserve(index);
      if (!(page instanceof Uint8Array) && !isZero(part)) {
        page = new Uint8Array(PAGE_BYTES);
        pages.set(index, page);
      }
      page?.set(part, from);
      done += part.length;
    }
    this.#content.sizeBytes = Math.max(this.#content.sizeBytes, position + bytes.length);
    this.#content.modifiedMs = this.#host.clock.wallMs();
  }

  readSync(into: Uint8Array, position: number): number {
    this.#check(false);
    const length = Math.max(0, Math.min(into.length, this.#content.sizeBytes - position));
    for (let done = 0; done < length; ) {
      const from = (position + done) % PAGE_BYTES;
      const part = Math.min(PAGE_BYTES - from, length - done);
      const page = this.#content.pages.get(Math.floor((position + done) / PAGE_BYTES));
      if (page) into.set(page.subarray(from, from + part), done);
      else into.fill(0, done, done + part);
      done += part;
    }
    return length;
  }

  read(
    _lane: Lane,
    into: Uint8Array,
    position: number,
    done: (error: HostError | undefined, bytesRead: number) => void,
  ): void {
    this.#later(
      () => this.readSync(into, position),
      (error, count) => done(error, count ?? 0),
    );
  }

  write(
    _lane: Lane,
    bytes: Uint8Array,
    position: number,
    done: (error: HostError | undefined) => void,
  ): void {
    this.#later(() => this.writeSync(bytes, position), done);
  }

  fdatasync(_lane: Lane, done: (error: HostError | undefined) => void): void {
    this.#later(() => {}, done);
  }

  fdatasyncSync(): void {
    this.#check(false);
  }

  truncateSync(lengthBytes: number): void {
    this.#check(true);
    const { pages } = this.#content;
    const keep = Math.ceil(lengthBytes / PAGE_BYTES);
    if (lengthBytes < this.#content.sizeBytes) {
      for (const index of pages.keys())
        if (index >= keep) {
          pages.delete(index);
          this.#budget.usedBytes -= PAGE_BYTES;
        }
      pages.get(keep - 1)?.fill(0, lengthBytes - (keep - 1) * PAGE_BYTES);
    }
    this.#content.sizeBytes = lengthBytes;
    this.#content.modifiedMs = this.#host.clock.wallMs();
  }

  closeSync(): void {
    this.#closed = true;
  }

  #reserve(index: number): void {
    if (this.#budget.usedBytes + PAGE_BYTES > this.#budget.bytesMax)
      throw new HostError(
        "ENOSPC",
        `${this.path}: the memory store is full (${this.#budget.bytesMax} bytes)`,
      );
    this.#budget.usedBytes += PAGE_BYTES;
    this.#content.pages.set(index, null);
  }

  #check(writing: boolean): void {
    if (this.#closed) throw new HostError("ECLOSED", `${this.path} is closed`);
    if (writing && !this.#writable) throw new HostError("EBADF", `${this.path} was opened for reading`);
  }

  /** Runs `work` in the next turn; a failure goes to `done`, as from a thread pool. */
  #later<T>(work: () => T, done: (error: HostError | undefined, result?: T) => void): void {
    this.#host.timers.afterTurn(() => {
      let result: T;
      try {
        result = work();
      } catch (error) {
        done(error instanceof HostError ? error : new HostError("EIO", String(error), { cause: error }));
        return;
      }
      done(undefined, result);
    });
  }
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));
const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const normal = (path: string): string => path.replace(/\/+/g, "/").replace(/(.)\/$/, "$1");

/** A file system of its own, holding at most `bytesMax` bytes; beyond, writes fail with ENOSPC. */
export function memoryFiles(host: Pick<Host, "clock" | "timers">, bytesMax = MEMORY_BYTES_MAX): Files {
  const files = new Map<string, Content>();
  const folders = new Set<string>(["", "/"]);
  const locks = new Set<string>();
  const budget: Budget = { bytesMax, usedBytes: 0 };
  let inodes = 0;

  const missing = (path: string) => new HostError("ENOENT", `${path}: no such file or folder`);
  const create = (path: string): Content => {
    if (!folders.has(parentOf(path))) throw missing(parentOf(path));
    const content = { inode: ++inodes, pages: new Map(), sizeBytes: 0, modifiedMs: host.clock.wallMs() };
    files.set(path, content);
    return content;
  };
  const children = (path: string): string[] =>
    [...files.keys(), ...folders].filter((entry) => entry !== path && parentOf(entry) === path).map(nameOf);
  const release = (content: Content | undefined) => {
    if (content !== undefined) budget.usedBytes -= content.pages.size * PAGE_BYTES;
  };

  return {
    openSync(asked: string, options: OpenOptions = {}): OpenFile {
      const path = normal(asked);
      if (options.exclusive && files.has(path)) throw new HostError("EEXIST", `${path} exists`);
      let content = files.get(path);
      if (content === undefined) {
        if (!options.create && !options.exclusive) throw missing(path);
        content = create(path);
      }
      return new MemoryFile(host, { path, content, budget, writable: options.writable ?? true });
    },
    makeFolderSync(path) {
      const parts = normal(path).split("/");
      for (let count = 1; count <= parts.length; count++) folders.add(parts.slice(0, count).join("/"));
    },
    listSync(asked) {
      const path = normal(asked);
      if (!folders.has(path)) throw missing(path);
      return children(path);
    },
    statSync(asked): FileStat | undefined {
      const path = normal(asked);
      const content = files.get(path);
      if (content !== undefined)
        return {
          sizeBytes: content.sizeBytes,
          isFolder: false,
          allocatedBytes: content.pages.size * PAGE_BYTES,
          modifiedMs: content.modifiedMs,
          inode: content.inode,
        };
      return folders.has(path)
        ? { sizeBytes: 0, isFolder: true, allocatedBytes: 0, modifiedMs: 0, inode: 0 }
        : undefined;
    },
    readWholeSync(asked) {
      const content = files.get(normal(asked));
      if (content === undefined) return undefined;
      const bytes = new Uint8Array(content.sizeBytes);
      new MemoryFile(host, { path: asked, content, budget, writable: false }).readSync(bytes, 0);
      return bytes;
    },
    renameSync(askedFrom, askedTo) {
      const [from, to] = [normal(askedFrom), normal(askedTo)];
      if (!folders.has(parentOf(to))) throw missing(parentOf(to));
      const content = files.get(from);
      if (content !== undefined) {
        if (from !== to) release(files.get(to));
        files.delete(from);
        files.set(to, content);
      } else if (folders.delete(from)) {
        folders.add(to);
        const moved = (entry: string) => to + entry.slice(from.length);
        for (const folder of [...folders])
          if (folder.startsWith(`${from}/`) && folders.delete(folder)) folders.add(moved(folder));
        for (const [path, inside] of [...files])
          if (path.startsWith(`${from}/`) && files.delete(path)) files.set(moved(path), inside);
      } else throw missing(from);
    },
    unlinkSync(asked) {
      const path = normal(asked);
      release(files.get(path));
      files.delete(path);
    },
    removeFolderSync(asked) {
      const path = normal(asked);
      if (!folders.has(path)) throw missing(path);
      if (children(path).length > 0) throw new HostError("ENOTEMPTY", `${path} is not empty`);
      folders.delete(path);
    },
    syncFolder(_path, done) {
      host.timers.afterTurn(() => done(undefined));
    },
    syncFolderSync() {},
    lockSync(asked) {
      const path = normal(asked);
      if (locks.has(path)) throw new HostError("ELOCKED", `${path} is locked by this process`);
      if (!files.has(path)) create(path);
      locks.add(path);
      return { release: () => void locks.delete(path) };
    },
    spaceSync: () => ({ freeBytes: budget.bytesMax - budget.usedBytes, totalBytes: budget.bytesMax }),
  };
}
