/**
 * A file handle of one simulated process. Operations with a callback take virtual time in the process's
 * thread pool; a written buffer is read in pieces at random moments before its callback, and a read buffer
 * is scribbled over until its callback, so that touching either too early is seen.
 */
import type { Lane, OpenFile } from "../../files.ts";
import { HostError } from "../../host-error.ts";
import type { SimHost } from "../sim-host.ts";
import type { SimInode } from "./sim-inode.ts";

const PIECES_MAX = 3;
const SCRIBBLE = 0xee;

export function readError(path: string): HostError {
  return new HostError("EIO", `${path}: read: input/output error`);
}

export class SimOpenFile implements OpenFile {
  readonly path: string;
  readonly #host: SimHost;
  readonly #inode: SimInode;
  readonly #writable: boolean;
  #open = true;

  constructor(host: SimHost, path: string, inode: SimInode, writable: boolean) {
    this.#host = host;
    this.path = path;
    this.#inode = inode;
    this.#writable = writable;
    inode.handles++;
  }

  sizeSync(): number {
    this.#check();
    return this.#inode.sizeBytes;
  }

  writeSync(bytes: Uint8Array, position: number): void {
    this.#check();
    this.#write(bytes, position);
  }

  readSync(into: Uint8Array, position: number): number {
    this.#check();
    if (this.#host.machine.disk.faults.take("read", this.path)) throw readError(this.path);
    return this.#inode.read(into, position);
  }

  read(
    lane: Lane,
    into: Uint8Array,
    position: number,
    done: (error: HostError | undefined, bytesRead: number) => void,
  ): void {
    const host = this.#host;
    const closed = this.#closedError();
    if (closed !== undefined) {
      host.callLater(() => done(closed, 0));
      return;
    }
    into.fill(SCRIBBLE);
    host.poolOperation(lane, "read", this.#inode.id, () => {
      if (host.machine.disk.faults.take("read", this.path)) return () => done(readError(this.path), 0);
      const bytesRead = this.#inode.read(into, position);
      return () => done(undefined, bytesRead);
    });
  }

  write(lane: Lane, bytes: Uint8Array, position: number, done: (error: HostError | undefined) => void): void {
    const host = this.#host;
    const closed = this.#closedError();
    if (closed !== undefined) {
      host.callLater(() => done(closed));
      return;
    }
    const pieces = 1 + host.world.random.int(PIECES_MAX);
    let error: HostError | undefined;
    const writePiece = (from: number, to: number) => {
      if (error !== undefined || from === to) return;
      try {
        this.#write(bytes.subarray(from, to), position + from);
      } catch (failure) {
        error = failure as HostError;
      }
    };
    const cut = (piece: number) => Math.floor((bytes.length * piece) / pieces);
    host.poolOperation(
      lane,
      "write",
      this.#inode.id,
      () => {
        writePiece(cut(pieces - 1), bytes.length);
        return () => done(error);
      },
      (durationUs) => {
        for (let piece = 0; piece < pieces - 1; piece++) {
          const at = ((piece + host.world.random.float()) * durationUs) / pieces;
          host.world.loop.scheduleInternal(at, host, "disk-piece", this.#inode.id, () =>
            writePiece(cut(piece), cut(piece + 1)),
          );
        }
      },
    );
  }

  fdatasync(lane: Lane, done: (error: HostError | undefined) => void): void {
    const closed = this.#closedError();
    if (closed !== undefined) {
      this.#host.callLater(() => done(closed));
      return;
    }
    const mark = this.#inode.beginSync();
    this.#host.poolOperation(lane, "sync", this.#inode.id, () => {
      const error = this.#endSync(mark);
      return () => done(error);
    });
  }

  fdatasyncSync(): void {
    this.#check();
    const error = this.#endSync(this.#inode.beginSync());
    if (error !== undefined) throw error;
  }

  truncateSync(lengthBytes: number): void {
    this.#check();
    this.#checkWritable();
    this.#host.world.note("disk-truncate", this.#host, lengthBytes);
    this.#inode.truncate(lengthBytes);
    this.#inode.modifiedMs = this.#host.machine.wallMs();
  }

  closeSync(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#inode.handles--;
    this.#host.machine.disk.releaseIfUnused(this.#inode);
    this.#host.openFiles.delete(this);
  }

  /** The process ended: the kernel closes the handle. */
  abandon(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#inode.handles--;
    this.#host.machine.disk.releaseIfUnused(this.#inode);
  }

  #endSync(mark: ReturnType<SimInode["beginSync"]>): HostError | undefined {
    if (this.#host.machine.disk.faults.take("sync", this.path)) {
      this.#inode.syncFailed(mark);
      return new HostError("EIO", `${this.path}: fdatasync: input/output error`);
    }
    this.#inode.syncSucceeded(mark);
    return undefined;
  }

  #write(bytes: Uint8Array, position: number): void {
    this.#checkWritable();
    const { machine, world } = this.#host;
    world.note("disk-write", this.#host, position + bytes.length);
    if (world.options.traceContents) world.trace.bytes(bytes);
    this.#inode.modifiedMs = machine.wallMs();
    if (machine.disk.faults.take("write", this.path)) {
      machine.disk.writeTorn(this.#inode, bytes, position);
      throw new HostError("EIO", `${this.path}: write: input/output error`);
    }
    machine.disk.write(this.#inode, this.path, bytes, position);
  }

  #check(): void {
    const closed = this.#closedError();
    if (closed !== undefined) throw closed;
  }

  #closedError(): HostError | undefined {
    this.#host.assertAlive();
    return this.#open ? undefined : new HostError("ECLOSED", `${this.path}: the file was closed`);
  }

  #checkWritable(): void {
    if (!this.#writable) throw new HostError("EBADF", `${this.path}: opened for reading`);
  }
}
