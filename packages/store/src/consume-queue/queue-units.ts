/**
 * A queue's units wherever they are: the newest in its ring, older ones in its files, of which the parts read
 * last are kept for the next pull of the same queue. What comes from a file is read in whole blocks and compared
 * with their checksums; a unit of a block that is not known, or not what it was, is not `sure`: it may only be
 * used after it was compared with its record (reading/unit-settling.ts).
 */
import type { HostError } from "@orbitmq/host";
import { plainCrc32, readInt64, writeInt64 } from "@orbitmq/wire";
import { type ConsumeQueue, UNIT_BYTES } from "./consume-queue.ts";
import type { ConsumeQueueFiles } from "./consume-queue-files.ts";
import type { KnownBlocks } from "./unit-checksums.ts";

const HIGH_UNIT = 2 ** 32;

/** Units by queue offset. */
export interface UnitRun {
  /** One past the last offset it has. */
  readonly end: number;
  /** Whether the unit is what was once written. */
  isSure(offset: number): boolean;
  physicalOffsetAt(offset: number): number;
  sizeAt(offset: number): number;
  tagsCodeAt(offset: number): number;
}

/** Why a unit's record cannot be found, and the place of the log where it may have been. */
export interface LostUnit {
  readonly position: number;
  readonly reason: string;
}

/** Units read from a file. */
export class FileUnits implements UnitRun {
  readonly start: number;
  readonly end: number;
  /** Where the reader is to be when more of the log is next read ahead for it; for reading/message-reader.ts. */
  aheadAt = 0;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #sure: Uint8Array;
  #lost: Map<number, LostUnit> | undefined;

  constructor(start: number, bytes: Buffer, sure: Uint8Array) {
    this.start = start;
    this.end = start + bytes.length / UNIT_BYTES;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#sure = sure;
  }

  isSure(offset: number): boolean {
    return this.#sure[offset - this.start] === 1;
  }

  physicalOffsetAt(offset: number): number {
    const at = (offset - this.start) * UNIT_BYTES;
    return this.#view.getInt32(at) * HIGH_UNIT + this.#view.getUint32(at + 4);
  }

  sizeAt(offset: number): number {
    return this.#view.getInt32((offset - this.start) * UNIT_BYTES + 8);
  }

  tagsCodeAt(offset: number): number {
    return readInt64(this.#bytes, (offset - this.start) * UNIT_BYTES + 12);
  }

  /** The unit is right as it is. */
  confirm(offset: number): void {
    this.#sure[offset - this.start] = 1;
  }

  /** What the unit should be. */
  correct(offset: number, physicalOffset: number, size: number, tagsCode: number): void {
    const at = (offset - this.start) * UNIT_BYTES;
    writeInt64(this.#bytes, physicalOffset, at);
    this.#bytes.writeInt32BE(size, at + 8);
    writeInt64(this.#bytes, tagsCode, at + 12);
    this.confirm(offset);
  }

  /** The unit is wrong and what it should be cannot be found. */
  lose(offset: number, lost: LostUnit): void {
    this.#lost ??= new Map();
    this.#lost.set(offset, lost);
    this.confirm(offset);
  }

  lostAt(offset: number): LostUnit | undefined {
    return this.#lost?.get(offset);
  }

  /** Whether the unit is sure and its record can be found. */
  isUsable(offset: number): boolean {
    return this.#sure[offset - this.start] === 1 && this.#lost === undefined;
  }

  /** The units [from, to) when all of them are in here, sure and found. */
  sureBytes(from: number, to: number): Buffer | undefined {
    if (from < this.start || to > this.end) return undefined;
    for (let offset = from; offset < to; offset += 1) {
      if (!this.isSure(offset) || this.lostAt(offset) !== undefined) return undefined;
    }
    return this.#bytes.subarray((from - this.start) * UNIT_BYTES, (to - this.start) * UNIT_BYTES);
  }
}

/** Units of one read, about as many as a pull scans at most by default; twice as many each time a queue is read on. */
const RUN_UNITS = 800;
const RUN_UNITS_MAX = 4_000;
const RUNS_MAX = 64;

/** The units that a queue being read through needs next. */
interface RunAhead {
  readonly offset: number;
  /** `undefined` while it is being read. */
  run: FileUnits | undefined;
  readonly waiters: (() => void)[];
}

export class QueueUnits {
  readonly #files: ConsumeQueueFiles;
  /** In order of use. */
  readonly #runs = new Map<ConsumeQueue, FileUnits>();
  /** In order of use, too. */
  readonly #ahead = new Map<ConsumeQueue, RunAhead>();
  /** Counts truncations: what was read before one is not kept. */
  #generation = 0;

  constructor(files: ConsumeQueueFiles) {
    this.#files = files;
  }

  /** Units from `offset` on that are in memory; `offset` must be one the queue has. */
  inMemory(queue: ConsumeQueue, offset: number): UnitRun | undefined {
    if (offset >= queue.ringStart) return queue;
    const run = this.#runs.get(queue);
    if (run !== undefined && offset >= run.start && offset < run.end) return run;
    const ahead = this.#ahead.get(queue)?.run;
    if (ahead === undefined || offset < ahead.start || offset >= ahead.end) return undefined;
    this.#ahead.delete(queue);
    this.#keep(queue, ahead);
    return ahead;
  }

  /** Reads units around `offset`; afterwards they are in memory unless there was an error. */
  load(queue: ConsumeQueue, offset: number, done: (error: HostError | undefined) => void): void {
    const ahead = this.#ahead.get(queue);
    if (ahead?.offset === offset && ahead.run === undefined) {
      ahead.waiters.push(() => {
        if (this.inMemory(queue, offset) === undefined) this.load(queue, offset, done);
        else done(undefined);
      });
      return;
    }
    const before = this.#runs.get(queue);
    const isReadOn = before !== undefined && before.end === offset;
    const units = isReadOn ? Math.min(2 * (before.end - before.start), RUN_UNITS_MAX) : RUN_UNITS;
    const generation = this.#generation;
    const finish = (error: HostError | undefined, run: FileUnits | undefined): void => {
      if (run !== undefined && generation === this.#generation) this.#keep(queue, run);
      done(error);
    };
    this.read(queue, offset, finish, Math.max(units, RUN_UNITS));
  }

  /** Reads the units behind `run` in advance when a queue is being read through; `run` must be of one that is. */
  readAhead(queue: ConsumeQueue, run: UnitRun): void {
    if (!(run instanceof FileUnits) || run.end - run.start < 2 * RUN_UNITS) return;
    if (run.end >= queue.ringStart || this.#ahead.has(queue)) return;
    const ahead: RunAhead = { offset: run.end, run: undefined, waiters: [] };
    this.#ahead.set(queue, ahead);
    trim(this.#ahead);
    const finish = (_error: HostError | undefined, next: FileUnits | undefined): void => {
      // Forgotten meanwhile, or without an answer: who needs it asks again.
      if (next === undefined && this.#ahead.get(queue) === ahead) this.#ahead.delete(queue);
      ahead.run = next;
      for (const waiter of ahead.waiters) waiter();
    };
    this.read(queue, run.end, finish, RUN_UNITS_MAX);
  }

  /** As `load`, for the caller alone. */
  read(
    queue: ConsumeQueue,
    offset: number,
    done: (error: HostError | undefined, run: FileUnits | undefined) => void,
    units = RUN_UNITS,
  ): void {
    if (!queue.checked) {
      try {
        this.#files.whenFirstUsed(queue);
      } catch (error) {
        done(error as HostError, undefined);
        return;
      }
    }
    const { fileUnits, checksums } = this.#files;
    const { written, sum, sumTo } = queue;
    const start = checksums.blockStart(offset);
    const fileEnd = offset - (offset % fileUnits) + fileUnits;
    const lastBlock = checksums.blockStart(Math.min(offset + units, fileEnd) - 1);
    const count = Math.min(checksums.blockEnd(lastBlock), written) - start;
    const bytes = Buffer.allocUnsafe(count * UNIT_BYTES);
    const blocks = Math.ceil(count / checksums.blockUnits);
    let known: KnownBlocks | undefined;
    let failure: HostError | undefined;
    let open = 2;
    const finish = (): void => {
      open -= 1;
      if (open > 0 || known === undefined) return;
      if (failure !== undefined) {
        done(failure, undefined);
        return;
      }
      const tail = sumTo === start + count ? sum : undefined;
      done(undefined, new FileUnits(start, bytes, this.#sureOnes(start, bytes, known, tail)));
    };
    checksums.read(queue, start, blocks, (entries) => {
      known = entries;
      finish();
    });
    this.#files.read("cold", queue, start, bytes, (error) => {
      failure = error;
      finish();
    });
  }

  /** Forgets what was read of one queue. */
  forget(queue: ConsumeQueue): void {
    this.#runs.delete(queue);
    this.#ahead.delete(queue);
  }

  /** Forgets what was read; for truncation. */
  clear(): void {
    this.#generation += 1;
    this.#runs.clear();
    this.#ahead.clear();
  }

  /** Which units are in blocks that are what they were; `tail` is the running sum when it ends where `bytes` do. */
  #sureOnes(start: number, bytes: Buffer, known: KnownBlocks, tail: number | undefined): Uint8Array {
    const { checksums } = this.#files;
    const end = start + bytes.length / UNIT_BYTES;
    const sure = new Uint8Array(end - start);
    let index = 0;
    for (let at = start; at < end; index += 1) {
      const to = Math.min(end, checksums.blockEnd(at));
      const block = bytes.subarray((at - start) * UNIT_BYTES, (to - start) * UNIT_BYTES);
      const isSame =
        known.check(index, block) === "same" ||
        (to === end && tail !== undefined && tail === plainCrc32(block));
      if (isSame) sure.fill(1, at - start, to - start);
      at = to;
    }
    return sure;
  }

  #keep(queue: ConsumeQueue, run: FileUnits): void {
    this.#runs.delete(queue);
    this.#runs.set(queue, run);
    trim(this.#runs);
  }
}

/** Lets the entry go that was not used for longest when there are too many. */
function trim(runs: Map<ConsumeQueue, unknown>): void {
  if (runs.size <= RUNS_MAX) return;
  for (const oldest of runs.keys()) {
    runs.delete(oldest);
    return;
  }
}
