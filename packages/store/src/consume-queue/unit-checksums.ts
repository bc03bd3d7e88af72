/**
 * Checksums of ConsumeQueue units, by blocks of 200 (see integrity/block-checksums.ts). A queue carries a running
 * sum over the block it is filling; a block that is full gets its entry, eight bytes per 200 messages and no sync.
 * The block being filled is known in memory only: after a start its units are compared with the CommitLog when
 * they are read from the file.
 */
import { type Files, HostError, type Logger } from "@orbitmq/host";
import { plainCrc32 } from "@orbitmq/wire";
import { BlockChecksums, type BlockEntries } from "../integrity/block-checksums.ts";
import type { OpenFileCache } from "../open-file-cache.ts";
import { StoreError } from "../store-error.ts";
import { offsetName } from "../store-paths.ts";
import { type ConsumeQueue, UNIT_BYTES } from "./consume-queue.ts";

const BLOCK_UNITS_MAX = 200;

/** Topic and id are all that names a queue's files. */
export type QueueName = Pick<ConsumeQueue, "topic" | "queueId">;

/** Units under one checksum in files of so many. */
export function blockUnitsOf(fileUnits: number): number {
  return Math.min(BLOCK_UNITS_MAX, fileUnits);
}

export class UnitChecksums {
  readonly blockUnits: number;
  readonly root: string;
  readonly #fileUnits: number;
  readonly #blocks: BlockChecksums;
  readonly #logger: Logger;
  #isFailing = false;

  constructor(files: Files, cache: OpenFileCache, root: string, fileUnits: number, logger: Logger) {
    this.root = root;
    this.#fileUnits = fileUnits;
    this.blockUnits = blockUnitsOf(fileUnits);
    this.#blocks = new BlockChecksums(files, cache, this.blockUnits * UNIT_BYTES);
    this.#logger = logger;
  }

  /** First offset of the block that holds `offset`. */
  blockStart(offset: number): number {
    const within = offset % this.#fileUnits;
    return offset - (within % this.blockUnits);
  }

  /** One past the last offset of the block that starts at `start`. */
  blockEnd(start: number): number {
    return Math.min(start + this.blockUnits, start - (start % this.#fileUnits) + this.#fileUnits);
  }

  /** The units [from, to) of the queue's ring have been written to its file. */
  wrote(queue: ConsumeQueue, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const start = this.blockStart(at);
      const blockEnd = this.blockEnd(start);
      const end = Math.min(to, blockEnd);
      let sum = 0;
      let isKnown = true;
      if (at === queue.sumTo) sum = queue.sum;
      else if (queue.ringStart <= start)
        for (const bytes of queue.unitBytes(start, at)) sum = plainCrc32(bytes, sum);
      else isKnown = false;
      if (at === start) {
        sum = 0;
        isKnown = true;
      }
      if (isKnown) for (const bytes of queue.unitBytes(at, end)) sum = plainCrc32(bytes, sum);
      queue.sum = sum;
      queue.sumTo = isKnown ? end : -1;
      if (end === blockEnd) this.put(queue, start, isKnown ? end - start : 0, sum);
      at = end;
    }
  }

  /** Notes what the block that starts at `start` is; a failure costs only that it is compared with the log. */
  put(queue: QueueName, start: number, units: number, sum: number): void {
    try {
      this.#blocks.put(this.#path(queue, start), this.#block(start), units * UNIT_BYTES, sum);
      this.#isFailing = false;
    } catch (error) {
      if (!(error instanceof HostError) && !(error instanceof StoreError)) throw error;
      if (!this.#isFailing) this.#logger.warn({ err: error }, "checksums of ConsumeQueues cannot be written");
      this.#isFailing = true;
    }
  }

  /** What is known of the blocks from `start` on, which must lie in one file. */
  read(queue: QueueName, start: number, count: number, done: (known: KnownBlocks) => void): void {
    const block = this.#block(start);
    this.#blocks.read("cold", this.#path(queue, start), block, count, (entries) => {
      done(new KnownBlocks(entries, block));
    });
  }

  /** As `read`, blocking. */
  readSync(queue: QueueName, start: number, count: number): KnownBlocks {
    const block = this.#block(start);
    return new KnownBlocks(this.#blocks.readSync(this.#path(queue, start), block, count), block);
  }

  /** The queue's file that begins at `startUnit` has gone. */
  remove(queue: QueueName, startUnit: number): void {
    this.#blocks.remove(this.#path(queue, startUnit));
  }

  #block(start: number): number {
    return Math.floor((start % this.#fileUnits) / this.blockUnits);
  }

  #path({ topic, queueId }: QueueName, offset: number): string {
    const fileStart = offset - (offset % this.#fileUnits);
    return `${this.root}/${topic}/${queueId}/${offsetName(fileStart * UNIT_BYTES)}`;
  }
}

/** Entries of blocks counted from the first that was asked for. */
export class KnownBlocks {
  readonly #entries: BlockEntries;
  readonly #first: number;

  constructor(entries: BlockEntries, first: number) {
    this.#entries = entries;
    this.#first = first;
  }

  check(index: number, bytes: Uint8Array): "same" | "different" | "unknown" {
    return this.#entries.check(this.#first + index, bytes);
  }
}
