/**
 * One open file. Calls on the thread pool keep the descriptor open until they are over, however early
 * `closeSync` was called: a descriptor closed under an operation could be reused by another file, and the
 * operation would land there.
 */
import {
  close,
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  read,
  readSync,
  write,
  writeSync,
} from "node:fs";
import { assert } from "../assert.ts";
import type { Lane, OpenFile } from "../files.ts";
import { HostError } from "../host-error.ts";
import type { Lanes } from "./lanes.ts";
import { toHostError } from "./to-host-error.ts";

export class NodeOpenFile implements OpenFile {
  readonly path: string;
  readonly #fd: number;
  readonly #lanes: Lanes;
  #poolOperations = 0;
  #closed = false;

  constructor(path: string, fd: number, lanes: Lanes) {
    this.path = path;
    this.#fd = fd;
    this.#lanes = lanes;
  }

  sizeSync(): number {
    return this.#sync("fstat", () => fstatSync(this.#fd).size);
  }

  writeSync(bytes: Uint8Array, position: number): void {
    checkPosition(position);
    if (this.#closed) throw this.#closedError("write");
    try {
      let done = 0;
      while (done < bytes.length) {
        const count = writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
        if (count === 0) throw new HostError("EIO", `write ${this.path}: the system took no byte`);
        done += count;
      }
    } catch (error) {
      throw toHostError(error, `write ${this.path}`);
    }
  }

  readSync(into: Uint8Array, position: number): number {
    checkPosition(position);
    return this.#sync("read", () => {
      let done = 0;
      while (done < into.length) {
        const count = readSync(this.#fd, into, done, into.length - done, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  read(
    lane: Lane,
    into: Uint8Array,
    position: number,
    done: (error: HostError | undefined, bytesRead: number) => void,
  ): void {
    checkPosition(position);
    this.#onPool(lane, "read", done, (finish) => {
      let total = 0;
      const step = (): void =>
        read(this.#fd, into, total, into.length - total, position + total, (error, count) => {
          if (error !== null) return finish(error, total);
          total += count;
          return count === 0 || total === into.length ? finish(undefined, total) : step();
        });
      step();
    });
  }

  write(lane: Lane, bytes: Uint8Array, position: number, done: (error: HostError | undefined) => void): void {
    checkPosition(position);
    this.#onPool(lane, "write", done, (finish) => {
      let total = 0;
      const step = (): void =>
        write(this.#fd, bytes, total, bytes.length - total, position + total, (error, count) => {
          if (error !== null) return finish(error, total);
          total += count;
          if (total === bytes.length) return finish(undefined, total);
          return count > 0 ? step() : finish(new HostError("EIO", "the system took no byte"), total);
        });
      step();
    });
  }

  fdatasync(lane: Lane, done: (error: HostError | undefined) => void): void {
    this.#onPool(lane, "fdatasync", done, (finish) => {
      fdatasync(this.#fd, (error) => finish(error ?? undefined, 0));
    });
  }

  fdatasyncSync(): void {
    this.#sync("fdatasync", () => fdatasyncSync(this.#fd));
  }

  truncateSync(lengthBytes: number): void {
    checkPosition(lengthBytes);
    this.#sync("truncate", () => ftruncateSync(this.#fd, lengthBytes));
  }

  closeSync(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#poolOperations > 0) return;
    try {
      closeSync(this.#fd);
    } catch (error) {
      throw toHostError(error, `close ${this.path}`);
    }
  }

  /** For what this module cannot do itself: handing the descriptor to a locker program. */
  get descriptor(): number {
    if (this.#closed) throw this.#closedError("use");
    return this.#fd;
  }

  #sync<T>(what: string, call: () => T): T {
    if (this.#closed) throw this.#closedError(what);
    try {
      return call();
    } catch (error) {
      throw toHostError(error, `${what} ${this.path}`);
    }
  }

  #onPool(
    lane: Lane,
    what: string,
    done: (error: HostError | undefined, count: number) => void,
    start: (finish: (error: unknown, count: number) => void) => void,
  ): void {
    if (this.#closed) {
      process.nextTick(done, this.#closedError(what), 0);
      return;
    }
    this.#poolOperations++;
    this.#lanes.run(lane, (finished) =>
      start((error, count) => {
        finished();
        this.#poolOperations--;
        // The operation's own outcome counts; a failing close of a descriptor nobody uses changes nothing.
        if (this.#closed && this.#poolOperations === 0) close(this.#fd);
        done(error === undefined ? undefined : toHostError(error, `${what} ${this.path}`), count);
      }),
    );
  }

  #closedError(what: string): HostError {
    return new HostError("ECLOSED", `${what} ${this.path}: the file was closed`);
  }
}

function checkPosition(position: number): void {
  assert(Number.isSafeInteger(position) && position >= 0, "a file position is a non-negative safe integer");
}
