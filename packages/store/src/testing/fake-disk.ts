/**
 * A disk in memory for tests, behind `Files`. It notes every operation in order, so that any moment of a run can
 * be crashed afterwards (crash-model.ts); it fails, fills up and holds back operations when told to.
 */
import {
  type FileLock,
  type FileStat,
  type Files,
  HostError,
  type Lane,
  type OpenFile,
  type OpenOptions,
} from "@orbitmq/host";

/** A file's content, apart from its names. */
export interface Inode {
  readonly id: number;
  bytes: Buffer;
  /** Belongs to an image, too: copied before it is changed. */
  shared?: boolean;
  /** What `statSync` tells; 0 unless a test sets it. */
  modifiedMs?: number;
}

export type DiskOperation =
  | { readonly kind: "create"; readonly path: string; readonly inode: number }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "write"; readonly inode: number; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: "truncate"; readonly inode: number; readonly length: number }
  | { readonly kind: "rename"; readonly from: string; readonly to: string }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "removeFolder"; readonly path: string }
  /** Everything of the inode noted before index `from` is durable. */
  | { readonly kind: "sync"; readonly inode: number; readonly from: number }
  /** A sync failed: the kernel counts those pages as clean all the same. */
  | { readonly kind: "syncFailed"; readonly inode: number; readonly from: number }
  | { readonly kind: "syncFolder"; readonly path: string; readonly from: number };

/** What a disk starts with: a crash image, or another disk's present. */
export interface DiskImage {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly folders: ReadonlySet<string>;
}

type Operation = "write" | "sync" | "create" | "read" | "unlink";
type Fault = (what: Operation, path: string) => string | undefined;

const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf("/")));

export class FakeDisk implements Files {
  readonly operations: DiskOperation[];
  readonly names = new Map<string, Inode>();
  readonly folders = new Set<string>(["/"]);
  /** Returns an error code to make an operation fail. */
  fault: Fault = () => undefined;
  /** Bytes that files may still grow by writes into never written pages. */
  freeBytes = Number.POSITIVE_INFINITY;
  /** Size of the disk; Infinity: it is never used by a ratio. */
  totalBytes = Number.POSITIVE_INFINITY;
  /** While true, operations on the pool wait for `release`. */
  held = false;
  locks = new Set<string>();
  reads = 0;
  /** Folders listed, files opened, and files or folders looked for. */
  looks = 0;
  /** Files open now, and the most that ever were. */
  open = { now: 0, most: 0 };
  readonly #defer: (fn: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  readonly #written = new Map<number, Set<number>>();
  #ids = 1;

  /** `defer` calls back later, as the thread pool does. */
  constructor(defer: (fn: () => void) => void, image?: DiskImage | FakeDisk) {
    this.#defer = defer;
    this.operations = image instanceof FakeDisk ? image.operations : [];
    if (image instanceof FakeDisk) {
      // The same disk under another process: what was noted goes on.
      for (const [path, inode] of image.names) this.names.set(path, inode);
      for (const folder of image.folders) this.folders.add(folder);
      this.#ids = image.#ids;
      return;
    }
    if (image === undefined) return;
    for (const folder of image.folders) this.folders.add(folder);
    for (const [path, bytes] of image.files) this.names.set(path, { id: this.#ids++, bytes, shared: true });
  }

  /** How many operations on the pool are held back. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** What a process would find now. */
  image(): DiskImage {
    const files = new Map<string, Buffer>();
    for (const [path, inode] of this.names) {
      inode.shared = true;
      files.set(path, inode.bytes);
    }
    return { files, folders: new Set(this.folders) };
  }

  release(): void {
    this.held = false;
    for (const fn of this.#waiting.splice(0)) this.#defer(fn);
  }

  /** Lets only the operation that has waited longest go on. */
  releaseOne(): void {
    const fn = this.#waiting.shift();
    if (fn !== undefined) this.#defer(fn);
  }

  onPool(fn: () => void): void {
    if (this.held) this.#waiting.push(fn);
    else this.#defer(fn);
  }

  /** Gives back the pages of a file from `length` on. */
  freePages(inode: Inode, length: number): void {
    this.#free(inode.id, length);
  }

  check(what: Operation, path: string): void {
    const code = this.fault(what, path);
    if (code !== undefined) throw new HostError(code, `${path}: ${what} fails with ${code}`);
  }

  /** Accounts for the pages a write touches first. Throws ENOSPC. */
  allocate(inode: Inode, path: string, at: number, length: number): void {
    let pages = this.#written.get(inode.id);
    if (pages === undefined) {
      pages = new Set();
      this.#written.set(inode.id, pages);
    }
    const missing: number[] = [];
    for (let page = Math.floor(at / 4096); page * 4096 < at + length; page += 1) {
      if (!pages.has(page)) missing.push(page);
    }
    if (missing.length * 4096 > this.freeBytes) throw new HostError("ENOSPC", `${path}: no space left`);
    this.freeBytes -= missing.length * 4096;
    for (const page of missing) pages.add(page);
  }

  openSync(path: string, options: OpenOptions = {}): OpenFile {
    this.looks += 1;
    let inode = this.names.get(path);
    if (inode === undefined) {
      if (options.create !== true) throw new HostError("ENOENT", `${path}: no such file`);
      if (!this.folders.has(parentOf(path)))
        throw new HostError("ENOENT", `${parentOf(path)}: no such folder`);
      this.check("create", path);
      inode = { id: this.#ids++, bytes: Buffer.alloc(0) };
      this.names.set(path, inode);
      this.operations.push({ kind: "create", path, inode: inode.id });
    }
    return new FakeFile(this, path, inode);
  }

  makeFolderSync(path: string): void {
    const parts = path.split("/").slice(1);
    for (let index = 1; index <= parts.length; index += 1) {
      const folder = `/${parts.slice(0, index).join("/")}`;
      if (this.folders.has(folder)) continue;
      this.folders.add(folder);
      this.operations.push({ kind: "folder", path: folder });
    }
  }

  listSync(path: string): string[] {
    this.looks += 1;
    if (!this.folders.has(path)) throw new HostError("ENOENT", `${path}: no such folder`);
    const below = [...this.names.keys(), ...this.folders].filter(
      (name) => parentOf(name) === path && name !== path,
    );
    return below.map((name) => name.slice(name.lastIndexOf("/") + 1));
  }

  statSync(path: string): FileStat | undefined {
    this.looks += 1;
    if (this.folders.has(path))
      return { sizeBytes: 0, isFolder: true, allocatedBytes: 0, modifiedMs: 0, inode: 0 };
    const inode = this.names.get(path);
    if (inode === undefined) return undefined;
    return {
      sizeBytes: inode.bytes.length,
      isFolder: false,
      allocatedBytes: (this.#written.get(inode.id)?.size ?? 0) * 4096,
      modifiedMs: inode.modifiedMs ?? 0,
      inode: inode.id,
    };
  }

  readWholeSync(path: string): Uint8Array | undefined {
    const inode = this.names.get(path);
    return inode && Uint8Array.from(inode.bytes);
  }

  renameSync(from: string, to: string): void {
    const inode = this.names.get(from);
    if (inode === undefined) throw new HostError("ENOENT", `${from}: no such file`);
    const replaced = this.names.get(to);
    if (replaced !== undefined && replaced !== inode) this.#free(replaced.id, 0);
    this.names.delete(from);
    this.names.set(to, inode);
    this.operations.push({ kind: "rename", from, to });
  }

  unlinkSync(path: string): void {
    const inode = this.names.get(path);
    if (inode === undefined) return;
    this.check("unlink", path);
    this.names.delete(path);
    this.#free(inode.id, 0);
    this.operations.push({ kind: "unlink", path });
  }

  removeFolderSync(path: string): void {
    if (this.listSync(path).length > 0) throw new HostError("ENOTEMPTY", `${path}: not empty`);
    this.folders.delete(path);
    this.operations.push({ kind: "removeFolder", path });
  }

  syncFolder(path: string, done: (error: HostError | undefined) => void): void {
    const from = this.operations.length;
    this.onPool(() => {
      const error = this.#try(() => this.check("sync", path));
      if (error === undefined) this.operations.push({ kind: "syncFolder", path, from });
      done(error);
    });
  }

  syncFolderSync(path: string): void {
    this.check("sync", path);
    this.operations.push({ kind: "syncFolder", path, from: this.operations.length });
  }

  lockSync(path: string): FileLock {
    if (this.locks.has(path)) throw new HostError("ELOCKED", `${path}: held by a test`);
    this.openSync(path, { create: true }).closeSync();
    this.locks.add(path);
    return { release: () => this.locks.delete(path) };
  }

  spaceSync(): { freeBytes: number; totalBytes: number } {
    const isEndless = this.totalBytes === Number.POSITIVE_INFINITY;
    return { freeBytes: this.freeBytes, totalBytes: isEndless ? this.freeBytes : this.totalBytes };
  }

  #free(inode: number, length: number): void {
    const pages = this.#written.get(inode);
    for (const page of pages ?? []) {
      if (page * 4096 < length) continue;
      pages?.delete(page);
      this.freeBytes += 4096;
    }
  }

  #try(fn: () => void): HostError | undefined {
    try {
      fn();
      return undefined;
    } catch (error) {
      return error as HostError;
    }
  }
}

class FakeFile implements OpenFile {
  readonly path: string;
  readonly #disk: FakeDisk;
  readonly #inode: Inode;
  #closed = false;

  constructor(disk: FakeDisk, path: string, inode: Inode) {
    this.path = path;
    this.#disk = disk;
    this.#inode = inode;
    disk.open.now += 1;
    disk.open.most = Math.max(disk.open.most, disk.open.now);
  }

  sizeSync(): number {
    return this.#inode.bytes.length;
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.#open();
    this.#disk.check("write", this.path);
    this.#disk.allocate(this.#inode, this.path, position, bytes.length);
    const end = position + bytes.length;
    if (end > this.#inode.bytes.length) this.#resize(end);
    else if (this.#inode.shared) this.#resize(this.#inode.bytes.length);
    this.#inode.bytes.set(bytes, position);
    const copy = Buffer.from(bytes);
    this.#disk.operations.push({ kind: "write", inode: this.#inode.id, at: position, bytes: copy });
  }

  readSync(into: Uint8Array, position: number): number {
    this.#open();
    this.#disk.check("read", this.path);
    this.#disk.reads += 1;
    const part = this.#inode.bytes.subarray(position, position + into.length);
    into.set(part);
    return part.length;
  }

  read(
    _lane: Lane,
    into: Uint8Array,
    position: number,
    done: (error: HostError | undefined, bytesRead: number) => void,
  ): void {
    this.#open();
    this.#disk.onPool(() => {
      let count = 0;
      const error = attempt(() => {
        this.#disk.check("read", this.path);
        this.#disk.reads += 1;
        const part = this.#inode.bytes.subarray(position, position + into.length);
        into.set(part);
        count = part.length;
      });
      done(error, count);
    });
  }

  write(
    _lane: Lane,
    bytes: Uint8Array,
    position: number,
    done: (error: HostError | undefined) => void,
  ): void {
    this.#open();
    this.#disk.onPool(() => done(attempt(() => this.writeSync(bytes, position))));
  }

  fdatasync(_lane: Lane, done: (error: HostError | undefined) => void): void {
    this.#open();
    const from = this.#disk.operations.length;
    this.#disk.onPool(() => done(attempt(() => this.#synced(from))));
  }

  fdatasyncSync(): void {
    this.#open();
    this.#synced(this.#disk.operations.length);
  }

  truncateSync(lengthBytes: number): void {
    this.#open();
    this.#disk.freePages(this.#inode, lengthBytes);
    this.#resize(lengthBytes);
    this.#disk.operations.push({ kind: "truncate", inode: this.#inode.id, length: lengthBytes });
  }

  closeSync(): void {
    if (!this.#closed) this.#disk.open.now -= 1;
    this.#closed = true;
  }

  #open(): void {
    if (this.#closed) throw new HostError("ECLOSED", `${this.path}: the file is closed`);
  }

  #synced(from: number): void {
    try {
      this.#disk.check("sync", this.path);
    } catch (error) {
      this.#disk.operations.push({ kind: "syncFailed", inode: this.#inode.id, from });
      throw error;
    }
    this.#disk.operations.push({ kind: "sync", inode: this.#inode.id, from });
  }

  #resize(length: number): void {
    const bytes = Buffer.alloc(length);
    this.#inode.bytes.copy(bytes, 0, 0, Math.min(length, this.#inode.bytes.length));
    this.#inode.bytes = bytes;
    this.#inode.shared = false;
  }
}

function attempt(fn: () => void): HostError | undefined {
  try {
    fn();
    return undefined;
  } catch (error) {
    return error as HostError;
  }
}
