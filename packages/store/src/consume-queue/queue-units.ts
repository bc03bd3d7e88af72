/**
 * A queue's units wherever they are: the newest in its ring, older ones in its files, of which the parts read
 * last are kept for the next pull of the same queue.
 */
import type { HostError } from "@orbitmq/host";
import { readInt64 } from "@orbitmq/wire";
import { type ConsumeQueue, UNIT_BYTES } from "./consume-queue.ts";
import type { ConsumeQueueFiles } from "./consume-queue-files.ts";

/** Units by queue offset. */
export interface UnitRun {
  /** One past the last offset it has. */
  readonly end: number;
  physicalOffsetAt(offset: number): number;
  sizeAt(offset: number): number;
  tagsCodeAt(offset: number): number;
}

class FileUnits implements UnitRun {
  readonly start: number;
  readonly end: number;
  readonly #bytes: Buffer;

  constructor(start: number, bytes: Buffer) {
    this.start = start;
    this.end = start + bytes.length / UNIT_BYTES;
    this.#bytes = bytes;
  }

  physicalOffsetAt(offset: number): number {
    return readInt64(this.#bytes, (offset - this.start) * UNIT_BYTES);
  }

  sizeAt(offset: number): number {
    return this.#bytes.readInt32BE((offset - this.start) * UNIT_BYTES + 8);
  }

  tagsCodeAt(offset: number): number {
    return readInt64(this.#bytes, (offset - this.start) * UNIT_BYTES + 12);
  }
}

/** Units of one read, as many as a pull scans at most by default. */
const RUN_UNITS = 800;
const RUNS_MAX = 64;

export class QueueUnits {
  readonly #files: ConsumeQueueFiles;
  /** In order of use. */
  readonly #runs = new Map<ConsumeQueue, FileUnits>();

  constructor(files: ConsumeQueueFiles) {
    this.#files = files;
  }

  /** Units from `offset` on that are in memory; `offset` must be one the queue has. */
  inMemory(queue: ConsumeQueue, offset: number): UnitRun | undefined {
    if (offset >= queue.ringStart) return queue;
    const run = this.#runs.get(queue);
    if (run === undefined || offset < run.start || offset >= run.end) return undefined;
    return run;
  }

  /** Reads units from `offset` on; afterwards they are in memory unless there was an error. */
  load(queue: ConsumeQueue, offset: number, done: (error: HostError | undefined) => void): void {
    const { fileUnits } = this.#files;
    const fileEnd = offset - (offset % fileUnits) + fileUnits;
    const count = Math.min(RUN_UNITS, fileEnd - offset, queue.written - offset);
    const bytes = Buffer.allocUnsafe(count * UNIT_BYTES);
    this.#files.read("cold", queue, offset, bytes, (error) => {
      if (error === undefined) this.#keep(queue, new FileUnits(offset, bytes));
      done(error);
    });
  }

  /** Forgets what was read; for truncation. */
  clear(): void {
    this.#runs.clear();
  }

  #keep(queue: ConsumeQueue, run: FileUnits): void {
    this.#runs.delete(queue);
    this.#runs.set(queue, run);
    if (this.#runs.size <= RUNS_MAX) return;
    for (const oldest of this.#runs.keys()) {
      this.#runs.delete(oldest);
      return;
    }
  }
}
