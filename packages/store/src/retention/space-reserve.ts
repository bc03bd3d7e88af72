/**
 * Space kept for small state on a full disk: a file of ours with nothing in it, `orbitmq-reserve`. When offsets,
 * topics or queue units find no space, the file is emptied and they are written after all; the log gets none of
 * it, and messages are refused until the reserve is whole again. (RocketMQ keeps none: on a full disk its
 * offsets are no longer saved.)
 *
 *   whole → spent     somebody found no space; appends beyond the zeroed log are refused
 *   spent → whole     looked at every 5 s, and whenever the log wants space: twice the reserve is free again
 *
 * At start a reserve that is missing or short is made at once; where there is no space for it it is `spent`.
 * Losing the file loses nothing else. On file systems that compress zeros, or copy on write, it holds less than
 * it says.
 */
import { type Host, HostError, type Logger, type TimerHandle } from "@orbitmq/host";

const CHUNK_BYTES = 1024 * 1024;
const RETRY_MS = 5_000;

export class SpaceReserve {
  readonly #host: Pick<Host, "files" | "timers">;
  readonly #folder: string;
  readonly #path: string;
  readonly #bytes: number;
  readonly #logger: Logger;
  #spent: HostError | undefined;
  #timer: TimerHandle | undefined;
  #closed = false;

  /** `bytes` 0: no reserve is kept, and nothing is ever spent. */
  constructor(
    host: Pick<Host, "files" | "timers">,
    paths: { readonly folder: string; readonly path: string },
    bytes: number,
    logger: Logger,
  ) {
    this.#host = host;
    this.#folder = paths.folder;
    this.#path = paths.path;
    this.#bytes = bytes;
    this.#logger = logger;
  }

  /** Why the log gets no space although the disk may have some; `undefined` while the reserve is whole. */
  get spent(): HostError | undefined {
    return this.#spent;
  }

  /** On a disk that is nearly full, a start takes what it needs from the reserve: reads come before it. */
  lend(): void {
    const { files } = this.#host;
    if (files.statSync(this.#path) === undefined) return;
    if (files.spaceSync(this.#folder).freeBytes >= this.#bytes) return;
    const file = files.openSync(this.#path);
    file.truncateSync(0);
    file.closeSync();
  }

  /** Makes the reserve, or finds it; blocking. */
  begin(): void {
    this.#closed = false;
    const { files } = this.#host;
    if (this.#bytes === 0) {
      files.unlinkSync(this.#path);
      return;
    }
    const stat = files.statSync(this.#path);
    if (stat !== undefined && stat.sizeBytes >= this.#bytes && stat.allocatedBytes >= this.#bytes) return;
    if (!this.#fill()) this.#spend("there is no space for the reserve");
  }

  /** Gives the space away, when somebody has found none. `false` when there is nothing left to give. */
  release(): boolean {
    if (this.#bytes === 0 || this.#spent !== undefined || this.#closed) return false;
    try {
      const file = this.#host.files.openSync(this.#path);
      file.truncateSync(0);
      file.closeSync();
    } catch (error) {
      this.#logger.error({ err: error, file: this.#path }, "the reserved space cannot be given away");
      return false;
    }
    this.#spend("the disk is full; its last space is kept for offsets and topics");
    return true;
  }

  /** Whether the log may take space; tries to make a spent reserve whole first. */
  mayGrow(): boolean {
    if (this.#spent !== undefined) this.#restore();
    return this.#spent === undefined;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #spend(why: string): void {
    this.#spent = new HostError("ENOSPC", why);
    const neededBytes = 2 * this.#bytes;
    this.#logger.error(
      { bytes: this.#bytes, neededBytes, file: this.#path },
      `${why}: messages are refused until ${neededBytes} bytes are free`,
    );
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= this.#host.timers.after(RETRY_MS, () => {
      this.#timer = undefined;
      this.#restore();
      if (this.#spent !== undefined) this.#arm();
    });
  }

  #restore(): void {
    try {
      if (this.#host.files.spaceSync(this.#folder).freeBytes < 2 * this.#bytes || !this.#fill()) return;
    } catch (error) {
      this.#logger.error(
        { err: error, file: this.#path },
        "the reserve cannot be made whole; tried again later",
      );
      return;
    }
    this.#spent = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#logger.info(
      { bytes: this.#bytes },
      "there is space again, and the reserve for small state is whole",
    );
  }

  /** Writes the whole file; an empty one is left when there is no space. */
  #fill(): boolean {
    const { files } = this.#host;
    const file = files.openSync(this.#path, { create: true });
    try {
      const zeros = new Uint8Array(Math.min(CHUNK_BYTES, this.#bytes));
      file.truncateSync(0);
      for (let at = 0; at < this.#bytes; at += zeros.length) {
        file.writeSync(zeros.subarray(0, Math.min(zeros.length, this.#bytes - at)), at);
      }
      return true;
    } catch (error) {
      if (!isFull(error)) throw error;
      file.truncateSync(0);
      return false;
    } finally {
      file.closeSync();
    }
  }
}

/** Whether an operation failed because the disk, or this user's share of it, is used up. */
export function isFull(error: unknown): boolean {
  return error instanceof HostError && (error.code === "ENOSPC" || error.code === "EDQUOT");
}
