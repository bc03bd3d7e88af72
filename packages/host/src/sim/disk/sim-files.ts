/** `Files` of one simulated process, over the disk of its machine. */
import type { FileLock, FileStat, Files, OpenFile, OpenOptions } from "../../files.ts";
import { HostError } from "../../host-error.ts";
import type { SimHost } from "../sim-host.ts";
import type { SimDisk } from "./sim-disk.ts";
import { SimFolder } from "./sim-folder.ts";
import type { SimInode } from "./sim-inode.ts";
import { readError, SimOpenFile } from "./sim-open-file.ts";

export class SimFiles implements Files {
  readonly #host: SimHost;

  constructor(host: SimHost) {
    this.#host = host;
  }

  openSync(path: string, options: OpenOptions = {}): OpenFile {
    return this.#open(path, options);
  }

  makeFolderSync(path: string): void {
    this.#disk("makeFolder").makeFolder(path);
  }

  listSync(path: string): string[] {
    return [...this.#disk().folder(path).entries.keys()];
  }

  statSync(path: string): FileStat | undefined {
    const entry = this.#disk().entry(path);
    if (entry === undefined) return undefined;
    if (entry instanceof SimFolder)
      return { sizeBytes: 4096, isFolder: true, allocatedBytes: 4096, modifiedMs: 0, inode: entry.id };
    const { sizeBytes, allocatedBytes, modifiedMs, id } = entry;
    return { sizeBytes, isFolder: false, allocatedBytes, modifiedMs, inode: id };
  }

  readWholeSync(path: string): Uint8Array | undefined {
    const entry = this.#disk().entry(path);
    if (entry === undefined) return undefined;
    if (entry instanceof SimFolder) throw new HostError("EISDIR", `${path}: is a folder`);
    this.#mayOpen(path);
    if (this.#disk().faults.take("read", path)) throw readError(path);
    const bytes = new Uint8Array(entry.sizeBytes);
    entry.read(bytes, 0);
    return bytes;
  }

  renameSync(from: string, to: string): void {
    this.#disk("rename").rename(from, to);
  }

  unlinkSync(path: string): void {
    this.#disk("unlink").unlink(path);
  }

  removeFolderSync(path: string): void {
    this.#disk("removeFolder").removeFolder(path);
  }

  syncFolder(path: string, done: (error: HostError | undefined) => void): void {
    const host = this.#host;
    const disk = this.#disk();
    let folder: SimFolder;
    try {
      folder = disk.folder(path);
    } catch (error) {
      host.callLater(() => done(error as HostError));
      return;
    }
    const mark = disk.names.mark();
    host.poolOperation("other", "sync", folder.id, () => {
      const error = endFolderSync(disk, folder, path, mark);
      return () => done(error);
    });
  }

  syncFolderSync(path: string): void {
    const disk = this.#disk();
    const error = endFolderSync(disk, disk.folder(path), path, disk.names.mark());
    if (error !== undefined) throw error;
  }

  lockSync(path: string): FileLock {
    const machine = this.#host.machine;
    this.#host.assertAlive();
    if (!machine.offersLocks) throw new HostError("ENOLOCK", `${path}: this machine offers no locks`);
    const holder = machine.locks.get(path);
    if (holder !== undefined) {
      throw new HostError("ELOCKED", `${path}: held by ${holder.name} (pid ${holder.process.pid})`);
    }
    this.#open(path, { create: true }).closeSync();
    machine.locks.set(path, this.#host);
    let held = true;
    return {
      release: () => {
        if (held) machine.locks.delete(path);
        held = false;
      },
    };
  }

  spaceSync(_path: string): { readonly freeBytes: number; readonly totalBytes: number } {
    const disk = this.#disk();
    return { freeBytes: disk.freeBytes, totalBytes: disk.capacityBytes };
  }

  #open(path: string, options: OpenOptions): SimOpenFile {
    const disk = this.#disk();
    const { folder, name } = disk.parent(path);
    const entry = folder.entries.get(name);
    let inode: SimInode;
    this.#mayOpen(path);
    if (entry instanceof SimFolder) throw new HostError("EISDIR", `${path}: is a folder`);
    if (entry !== undefined) {
      if (options.exclusive === true) throw new HostError("EEXIST", `${path}: exists already`);
      inode = entry;
    } else {
      if (options.create !== true && options.exclusive !== true) {
        throw new HostError("ENOENT", `${path}: no such file`);
      }
      this.#host.world.note("disk-name", this.#host, name.length);
      inode = disk.createFile(folder, name);
      inode.modifiedMs = this.#host.machine.wallMs();
    }
    const file = new SimOpenFile(this.#host, path, inode, options.writable !== false);
    this.#host.openFiles.add(file);
    return file;
  }

  #mayOpen(path: string): void {
    if (!this.#disk().faults.take("open", path)) return;
    throw new HostError("EMFILE", `${path}: too many open files`);
  }

  /** `change` names a call that alters names, for the trace. */
  #disk(change?: string): SimDisk {
    this.#host.assertAlive();
    if (change !== undefined) this.#host.world.note("disk-name", this.#host, change.length);
    return this.#host.machine.disk;
  }
}

function endFolderSync(disk: SimDisk, folder: SimFolder, path: string, mark: number): HostError | undefined {
  if (disk.faults.take("sync", path)) return new HostError("EIO", `${path}: fsync: input/output error`);
  disk.names.synced(folder, mark);
  return undefined;
}
