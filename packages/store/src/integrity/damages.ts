/**
 * What was found damaged since the start: counted, and said once per place with file, offset, topic and queue.
 * The counters are part of the store's status.
 */
import type { Logger } from "@orbitmq/host";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { SkippedRecord } from "./skip-list.ts";

/** Counters since the store was opened. */
export interface IntegrityStatus {
  /** Places of the log that should hold a record and do not; each holds up its queue until it is skipped. */
  readonly corruptRecords: number;
  /** Of the last of them; -1 when there is none. What `orbitmq store skip --offset` takes. */
  readonly lastCorruptOffset: number;
  /** ConsumeQueue units that were not what their record says, and were corrected. */
  readonly wrongUnits: number;
  /** Blocks of IndexFiles that were not what was written, and were put right. */
  readonly wrongIndexBlocks: number;
  /** Corrupt records that consumers were led past because an operator has given them up. */
  readonly skippedRecords: number;
}

const REPORTED_MAX = 1000;

export class Damages {
  readonly #logger: Logger;
  readonly #segments: SegmentSet;
  readonly #corrupt = new Set<number>();
  readonly #skipped = new Set<number>();
  readonly #units = new Set<string>();
  #lastCorruptOffset = -1;
  #corruptRecords = 0;
  #wrongUnits = 0;
  #wrongIndexBlocks = 0;
  #skippedRecords = 0;

  constructor(segments: SegmentSet, logger: Logger) {
    this.#segments = segments;
    this.#logger = logger;
  }

  get status(): IntegrityStatus {
    return {
      corruptRecords: this.#corruptRecords,
      lastCorruptOffset: this.#lastCorruptOffset,
      wrongUnits: this.#wrongUnits,
      wrongIndexBlocks: this.#wrongIndexBlocks,
      skippedRecords: this.#skippedRecords,
    };
  }

  /** A message of a queue cannot be served. */
  corruptRecord(queue: ConsumeQueue, queueOffset: number, position: number, reason: string): void {
    if (!isNew(this.#corrupt, position)) return;
    this.#corruptRecords += 1;
    this.#lastCorruptOffset = position;
    const { topic, queueId } = queue;
    this.#logger.error(
      { topic, queueId, queueOffset, physicalOffset: position, ...this.#place(position), reason },
      "a stored message cannot be read; its queue is served up to it until `orbitmq store skip` gives it up",
    );
  }

  /** A place of the log that replication reads holds no record. */
  corruptLog(position: number, reason: string): void {
    if (!isNew(this.#corrupt, position)) return;
    this.#corruptRecords += 1;
    this.#lastCorruptOffset = position;
    this.#logger.error(
      { physicalOffset: position, ...this.#place(position), reason },
      "a stored record cannot be read; followers of the log are served up to it",
    );
  }

  wrongUnit(queue: ConsumeQueue, queueOffset: number, position: number, reason: string): void {
    const { topic, queueId } = queue;
    if (!isNew(this.#units, `${topic}/${queueId}/${queueOffset}`)) return;
    this.#wrongUnits += 1;
    this.#logger.warn(
      { topic, queueId, queueOffset, physicalOffset: position, reason },
      "a ConsumeQueue unit was wrong and is corrected by the CommitLog",
    );
  }

  wrongIndexBlocks(path: string, blocks: number): void {
    if (blocks === 0) return;
    this.#wrongIndexBlocks += blocks;
    this.#logger.warn(
      { file: path, blocks },
      "blocks of an IndexFile were wrong and are corrected by the CommitLog",
    );
  }

  skipped(queue: ConsumeQueue, queueOffset: number, entry: SkippedRecord): void {
    if (!isNew(this.#skipped, entry.offset)) return;
    this.#skippedRecords += 1;
    const { topic, queueId } = queue;
    this.#logger.error(
      { topic, queueId, queueOffset, physicalOffset: entry.offset, ...this.#place(entry.offset) },
      "consumers go past a corrupt message: an operator has given it up",
    );
  }

  #place(position: number): { file?: string; byte?: number } {
    const segment = this.#segments.at(position);
    return segment === undefined ? {} : { file: segment.path, byte: position - segment.start };
  }
}

function isNew<T>(known: Set<T>, place: T): boolean {
  if (known.has(place)) return false;
  if (known.size < REPORTED_MAX) known.add(place);
  return true;
}
