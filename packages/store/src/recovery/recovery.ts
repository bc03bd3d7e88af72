/**
 * Brings a store to a state that can be served, whatever stopped it before (facts: RocketMQ recovers normally
 * or abnormally; we add our mark, see recovery-plan.ts). In slices, so that signals are heard; nothing is served
 * meanwhile. Stopped halfway it can be run again: the old mark counts until all of it is on disk.
 *
 *   1. where to start     the mark, or RocketMQ's way
 *   2. queues             as the queue table has them while it goes with the mark, looking at few of them; else
 *                         all of them loaded from their files up to there. What lies behind will be written over
 *   3. scan               every record from there to the first that is none; that is the log's end
 *   4. repair             the unsynced part written again and synced, leftovers behind the end zeroed
 *   5. dispatch           records from there into queues and index, in memory; their files follow in the usual rounds
 *   6. damaged queues     those with gaps, or shorter than they have been: once more from the log's start
 */
import type { Files, Logger } from "@orbitmq/host";
import { checkRecord, RECORD_BYTES_MIN, RecordField, readInt64, storeTimestampAt } from "@orbitmq/wire";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import { BLANK_UNIT_SIZE, type ConsumeQueue } from "../consume-queue/consume-queue.ts";
import { queuesWithExt, removeExt } from "../consume-queue/consume-queue-ext.ts";
import type { ConsumeQueueFiles } from "../consume-queue/consume-queue-files.ts";
import { loadKnownQueues } from "../consume-queue/queue-check.ts";
import { emptied, loadQueue, loadQueues, newestPosition, SLICE_QUEUES } from "../consume-queue/queue-load.ts";
import type { QueueTable } from "../consume-queue/queue-table.ts";
import type { KnownQueues } from "../consume-queue/queue-table-file.ts";
import { type DispatchFields, isDispatched, readDispatchFields } from "../dispatch/dispatch-fields.ts";
import type { IndexService } from "../index-file/index-service.ts";
import { heldRecord } from "../integrity/held-record.ts";
import { passOver } from "../integrity/pass-over.ts";
import type { SkipList } from "../integrity/skip-list.ts";
import { atOnce, type Slices } from "../slices.ts";
import type { CheckpointFile } from "./checkpoint-file.ts";
import { repairTail } from "./log-repair.ts";
import { type ScanEnd, scanSlices, unreadable } from "./log-scan.ts";
import type { Mark } from "./mark-file.ts";
import { GATHER_UNITS, rebuildQueues } from "./queue-rebuild.ts";
import { recordsBehind } from "./records-behind.ts";
import type { RecoveryPlan } from "./recovery-plan.ts";

export interface RecoveryParts {
  readonly files: Files;
  readonly segments: SegmentSet;
  readonly queueFiles: ConsumeQueueFiles;
  readonly extFolder: string;
  readonly table: QueueTable;
  readonly checkpoint: CheckpointFile;
  readonly plan: RecoveryPlan;
  readonly mark: Mark | undefined;
  readonly knownQueues: KnownQueues;
  readonly skips: SkipList;
  /** `messageDelayLevel` as milliseconds. */
  readonly delaysMs: readonly number[];
  readonly logger: Logger;
  /** The queue has units its file has not. */
  queueChanged(queue: ConsumeQueue): void;
  /** On disk before this returns: these queues are not to be believed until they are built again. */
  damagedFound(queues: ReadonlySet<ConsumeQueue>): void;
  /** Called now and then while much is dispatched: memory may be emptied into files. */
  gathered(): Slices<void>;
  /** Called now and then while the log is read. */
  progress(what: string, position: number): void;
  readonly index: IndexService;
  /** The index knows all records below it. */
  readonly indexFrom: number;
  /** Called now and then while much is indexed: the items of records below `position`, which are on disk, may be emptied into files. */
  indexGathered(position: number): Slices<void>;
}

export interface Recovered {
  /** End of the log; all of it is on disk. */
  readonly end: number;
  /** The units of all records below are on disk. */
  readonly dispatched: number;
  readonly lastStoreTimestamp: number;
  /** Queues were built again, and are in memory or in files not synced yet. */
  readonly rebuilt: boolean;
  /** The queue table on disk says the same as this, about the time at `dispatched`. */
  readonly tableHolds: boolean;
  /** The index knew records that are gone. */
  readonly indexCut: boolean;
}

/** Where recovery starts, and what it may take for granted. */
interface Start {
  /** First record to read; the queues are complete up to it. */
  readonly scanFrom: number;
  /** What lies below was on disk: a bad record there is damage, not a torn write. */
  readonly flushed: number;
  /** A decided truncation; else Infinity. */
  readonly limit: number;
  /** Nothing of ours was ever written behind it. */
  readonly writeLimit: number;
  /** Whatever is read below it is on disk, not only in the page cache. */
  readonly onDisk: number;
}

/** A queue table further behind the mark than this is no help: it costs more to read the log since. */
const TABLE_BEHIND_MAX = 256 * 1024 * 1024;
/** Items of the index in memory beyond which `indexGathered` is called. */
const GATHER_ITEMS = 1_000_000;

/** Throws StoreError DAMAGED when what was on disk is not there, HostError when the disk refuses. */
export function recover(parts: RecoveryParts): Slices<Recovered> {
  return new Recovery(parts).run();
}

class Recovery {
  readonly #parts: RecoveryParts;
  readonly #damaged = new Set<ConsumeQueue>();
  readonly #claims = new Map<ConsumeQueue, number>();
  #lastStoreTimestamp = 0;
  #sinceGathered = 0;
  #tableHolds = false;
  #sinceIndexed = 0;
  /** The index has gathered so much, up to here; -1: it has not. */
  #indexGatheredTo = -1;
  #indexCut = false;
  /** First record younger than the checkpoint: from there on a Java broker may not have synced. */
  #unsyncedFrom = Number.POSITIVE_INFINITY;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  *run(): Slices<Recovered> {
    const { plan, checkpoint, mark } = this.#parts;
    // The mark and the records, which are scanned to the last, carry checksums. The checkpoint does not: a flipped
    // bit in it would date everything stored from now on into another century.
    this.#lastStoreTimestamp = mark?.lastStoreTimestamp ?? 0;
    if (plan.kind !== "trusted" || !plan.isClean) this.#parts.queueFiles.distrustNames();
    const start = yield* this.#start();
    const { files, extFolder, queueFiles, table } = this.#parts;
    const withExt = queuesWithExt(files, extFolder, table);
    for (const queue of withExt) this.#damaged.add(queue);
    if (start.limit < Number.POSITIVE_INFINITY) this.#cutIndex(start.limit);
    yield* this.#completeIndex(start);
    if (plan.kind === "trusted") yield* this.#findUnlisted(start);
    const strictFrom = plan.kind === "trusted" ? start.flushed : Number.POSITIVE_INFINITY;
    const scanned = yield* scanSlices(
      this.#parts.segments,
      start.scanFrom,
      {
        limit: start.limit,
        strictFrom,
        unsealedTo: mark?.unsealedTo ?? 0,
        // What was not synced when the machine went down may have holes; a record whose seal is one looks like Java's.
        strictAfterMs: plan.kind === "java-dirty" ? checkpoint.safeLogTimestamp : Number.POSITIVE_INFINITY,
        passOver: (position, reason) => this.#passOver(position, reason, strictFrom),
        between: (position) => this.#between("the log is read", position),
      },
      (bytes, at, size, position) => this.#visit(bytes, at, size, position, start),
    );
    if (scanned.end < start.flushed) throw unreadable(this.#parts.segments, scanned, start.flushed);
    this.#repair(start, scanned);
    if (plan.kind !== "trusted") yield* this.#cutQueues(scanned.end);
    this.#cutIndex(scanned.end);
    this.#findMissing();
    const rebuilt = this.#damaged.size > 0;
    if (rebuilt) {
      const targets = new Map([...this.#damaged].map((queue) => [queue, queue]));
      yield* rebuildQueues(this.#parts, targets, scanned.end, {
        append: this.#append,
        between: (position) => this.#between("ConsumeQueues are built again", position),
      });
      for (const queue of this.#damaged) {
        queue.checked = true;
        queue.damaged = false;
      }
      for (const queue of withExt) removeExt(files, extFolder, queueFiles, queue);
      this.#keepNumbers();
    }
    return {
      end: scanned.end,
      dispatched: start.scanFrom,
      lastStoreTimestamp: this.#lastStoreTimestamp,
      rebuilt,
      tableHolds: this.#tableHolds,
      indexCut: this.#indexCut,
    };
  }

  /** Where the log goes on behind a place without a record; the index says that it lacks what was there. */
  #passOver(position: number, reason: string, flushed: number): number | undefined {
    const { index, indexFrom } = this.#parts;
    const next = this.#behind(position, reason, flushed);
    if (next !== undefined && position >= indexFrom) index.missed(next);
    return next;
  }

  /** The end of a record that was given up, or that its queue holds on to. */
  #behind(position: number, reason: string, flushed: number): number | undefined {
    const { plan, logger, segments } = this.#parts;
    const next = passOver(this.#parts, position, (queue) => {
      if (!this.#damaged.has(queue)) this.#append(queue, 0, BLANK_UNIT_SIZE, 0);
    });
    if (next !== undefined || plan.kind !== "trusted" || position >= flushed) return next;
    const held = heldRecord(this.#parts, position);
    if (held === undefined || this.#damaged.has(held.queue)) return undefined;
    const { queue, size, tagsCode } = held;
    const { topic, queueId, end } = queue;
    const file = segments.at(position)?.path;
    logger.error(
      { topic, queueId, queueOffset: end, physicalOffset: position, file, reason },
      "a stored record cannot be read; its queue will be served up to it",
    );
    this.#append(queue, position, size, tagsCode);
    return position + size;
  }

  *#start(): Slices<Start> {
    const { plan, mark, segments, knownQueues } = this.#parts;
    if (plan.kind === "trusted" && mark !== undefined) {
      const { flushedOffset, truncateTo, writeLimit } = mark;
      this.#tableHolds = this.#goesWith(mark);
      if (this.#tableHolds) {
        for (const queue of loadKnownQueues(this.#parts, knownQueues.queues)) this.#damaged.add(queue);
        const { dispatched } = knownQueues;
        const flushed = Math.max(flushedOffset, dispatched);
        const limit = Number.POSITIVE_INFINITY;
        return { scanFrom: dispatched, flushed, limit, writeLimit, onDisk: flushed };
      }
      const scanFrom = Math.max(mark.dispatchedOffset, segments.minOffset);
      yield* this.#load(scanFrom);
      const limit = truncateTo >= 0 ? truncateTo : Number.POSITIVE_INFINITY;
      return { scanFrom, flushed: flushedOffset, limit, writeLimit, onDisk: Math.min(flushedOffset, limit) };
    }
    const all = Number.POSITIVE_INFINITY;
    const isDirty = plan.kind === "java-dirty";
    const scanFrom = yield* isDirty ? this.#beforeCheckpoint() : this.#belowQueues();
    return { scanFrom, flushed: 0, limit: all, writeLimit: all, onDisk: isDirty ? scanFrom : all };
  }

  /** Whether the queue table can stand for the queues' files: saved by the same store, and nothing was cut off since. */
  #goesWith({ nonce, truncateTo, dispatchedOffset }: Mark): boolean {
    const { knownQueues, segments } = this.#parts;
    const { storeId, fromBackup, logMin, dispatched } = knownQueues;
    return (
      storeId === nonce &&
      !fromBackup &&
      truncateTo < 0 &&
      logMin === segments.minOffset &&
      dispatched >= logMin &&
      dispatchedOffset - dispatched <= TABLE_BEHIND_MAX
    );
  }

  /** Start of the newest segment that surely was complete, queues included, when the checkpoint was written. */
  *#beforeCheckpoint(): Slices<number> {
    const { segments, checkpoint } = this.#parts;
    let scanFrom = segments.minOffset;
    for (let index = segments.all.length - 1; index >= 0; index -= 1) {
      const segment = segments.all[index]!;
      const head = Buffer.alloc(RECORD_BYTES_MIN);
      segments.reader(segment).readSync(head, 0);
      const { kind } = checkRecord(head, 0, head.length, { physicalOffset: segment.start });
      const isRecord = kind === "record" || (kind === "short" && head.readInt32BE(0) >= RECORD_BYTES_MIN);
      if (!isRecord) continue;
      const stored = readInt64(head, storeTimestampAt(head.readInt32BE(RecordField.SYS_FLAG)));
      if (stored <= checkpoint.safeTimestamp) {
        scanFrom = segment.start;
        break;
      }
    }
    yield* this.#load(scanFrom);
    return scanFrom;
  }

  /** Start of the newest segment that the queues reach into. */
  *#belowQueues(): Slices<number> {
    const { segments, table } = this.#parts;
    yield* this.#load(segments.fileEnd);
    let newest = -1;
    let looked = 0;
    for (const queue of table.all()) {
      newest = Math.max(newest, newestPosition(this.#parts, queue));
      looked += 1;
      if (looked % SLICE_QUEUES === 0) yield;
    }
    return segments.at(newest)?.start ?? segments.minOffset;
  }

  *#load(unitsBelow: number): Slices<void> {
    for (const queue of yield* loadQueues({ ...this.#parts, claims: this.#claims }, unitsBelow))
      this.#damaged.add(queue);
  }

  /** Between two slices of reading the log: memory is emptied into files, and it is said how far that has come. */
  *#between(what: string, position: number): Slices<void> {
    this.#parts.progress(what, position);
    if (this.#sinceGathered >= GATHER_UNITS) {
      this.#sinceGathered = 0;
      yield* this.#parts.gathered();
    }
    const to = this.#indexGatheredTo;
    this.#indexGatheredTo = -1;
    if (to >= 0) yield* this.#parts.indexGathered(to);
  }

  #visit(bytes: Buffer, at: number, size: number, position: number, { scanFrom, onDisk }: Start): void {
    const { delaysMs, checkpoint, segments, table } = this.#parts;
    const fields = readDispatchFields(bytes, at, delaysMs);
    this.#lastStoreTimestamp = Math.max(this.#lastStoreTimestamp, fields.storeTimestamp);
    if (fields.storeTimestamp > checkpoint.safeLogTimestamp) {
      this.#unsyncedFrom = Math.min(this.#unsyncedFrom, position);
    }
    this.#index(fields, position, size, onDisk);
    if (!isDispatched(fields.sysFlag)) return;
    const queue = table.findOrCreate(fields.topic, fields.queueId);
    if (this.#damaged.has(queue)) return;
    if (queue.minOffset === queue.end && fields.queueOffset !== queue.end) {
      // No unit of it is on disk: its first record says where it begins. A crash may have kept a later file's
      // name without the first one's, so that name says nothing.
      if (fields.queueOffset !== 0 && scanFrom !== segments.minOffset) {
        this.#damaged.add(queue);
        return;
      }
      emptied(this.#parts, queue);
      queue.load(fields.queueOffset, fields.queueOffset);
    }
    if (fields.queueOffset < queue.end) return;
    if (fields.queueOffset > queue.end) {
      this.#damaged.add(queue);
      return;
    }
    this.#append(queue, position, size, fields.tagsCode);
  }

  readonly #append = (queue: ConsumeQueue, position: number, size: number, tagsCode: number): void => {
    queue.append(position, size, tagsCode, Number.POSITIVE_INFINITY);
    queue.nextOffset = queue.end;
    if (!queue.dirty) this.#parts.queueChanged(queue);
    this.#sinceGathered += 1;
    // Units that stand for no message may be many between two records.
    if (this.#sinceGathered < 2 * GATHER_UNITS) return;
    this.#sinceGathered = 0;
    atOnce(this.#parts.gathered());
  };

  /** Indexes the records that the queues know and the index does not. */
  *#completeIndex({ scanFrom, onDisk }: Start): Slices<void> {
    const { indexFrom, segments, delaysMs, logger } = this.#parts;
    if (indexFrom >= scanFrom) return;
    logger.info({ from: indexFrom, to: scanFrom }, "messages are indexed by key again");
    const between = (position: number) => this.#between("messages are indexed by key", position);
    const scan = (from: number): Slices<ScanEnd> =>
      scanSlices(
        segments,
        from,
        { limit: scanFrom, strictFrom: Number.POSITIVE_INFINITY, between },
        (bytes, at, size, position) =>
          this.#index(readDispatchFields(bytes, at, delaysMs), position, size, onDisk),
      );
    let scanned = yield* scan(indexFrom);
    if (scanned.end === indexFrom && indexFrom > segments.minOffset) {
      // No record begins where the IndexFiles say that one does.
      this.#cutIndex(segments.minOffset);
      scanned = yield* scan(segments.minOffset);
    }
    if (scanned.end >= scanFrom) return;
    const { end, reason } = scanned;
    this.#parts.index.missed(scanFrom);
    logger.error(
      { end, to: scanFrom, reason },
      "the CommitLog cannot be read; some messages are not indexed by key",
    );
  }

  /** Without a queue table only the log says which queues there should be: those are damaged whose files lack a record's unit. */
  *#findUnlisted({ scanFrom }: Start): Slices<void> {
    const { knownQueues, segments, delaysMs, logger, skips, table } = this.#parts;
    const from = segments.minOffset;
    if (!knownQueues.isLost || scanFrom <= from) return;
    logger.warn(
      { from, to: scanFrom },
      "the queue table is lost; the log is read for ConsumeQueues that are missing",
    );
    const { end, reason } = yield* scanSlices(
      segments,
      from,
      {
        limit: scanFrom,
        strictFrom: Number.POSITIVE_INFINITY,
        passOver: (position) => skips.find(position)?.end,
        between: (position) => this.#between("ConsumeQueues are looked for", position),
      },
      (bytes, at) => {
        const { sysFlag, topic, queueId, queueOffset } = readDispatchFields(bytes, at, delaysMs);
        if (!isDispatched(sysFlag)) return;
        const queue = table.findOrCreate(topic, queueId);
        if (queueOffset < queue.minOffset || queueOffset >= queue.end) this.#damaged.add(queue);
      },
    );
    if (end < scanFrom) {
      logger.error(
        { end, to: scanFrom, reason },
        "the CommitLog cannot be read; a missing ConsumeQueue may go unnoticed",
      );
    }
  }

  #index(fields: DispatchFields, position: number, size: number, onDisk: number): void {
    const { index } = this.#parts;
    const { storeTimestamp, topic, properties, sysFlag } = fields;
    index.note(position, position + size, storeTimestamp, topic, properties, sysFlag);
    index.follow(position + size);
    this.#sinceIndexed += 1;
    if (this.#sinceIndexed < GATHER_ITEMS / 20) return;
    this.#sinceIndexed = 0;
    if (position + size <= onDisk && index.unsyncedItems >= GATHER_ITEMS) {
      this.#indexGatheredTo = position + size;
    }
  }

  #cutIndex(end: number): void {
    const { index } = this.#parts;
    if (!index.enabled || index.files.length === 0 || index.lastUpdate.phyOffset < end) return;
    index.cut(end);
    this.#indexCut = true;
  }

  #repair(start: Start, scanned: ScanEnd): void {
    const { plan, segments, logger } = this.#parts;
    if (plan.kind === "new" || (plan.kind === "trusted" && plan.isClean)) return;
    const { end } = scanned;
    let from = end;
    if (plan.kind === "trusted") from = start.flushed;
    else if (plan.kind === "java-dirty") from = Math.min(end, this.#unsyncedFrom);
    if (plan.kind === "trusted" && scanned.kind === "bad") this.#sayCut(scanned, start.writeLimit);
    const positions = { from, end, limit: start.writeLimit };
    const cleared = repairTail(segments, positions, scanned.fillings);
    logger.info({ from, end, cleared, reason: scanned.reason }, "the log's end was read and written again");
  }

  /** The log is about to be cut in front of whole records. */
  #sayCut({ end, reason }: ScanEnd, writeLimit: number): void {
    const { segments, logger } = this.#parts;
    const behind = recordsBehind(segments, end, writeLimit);
    if (behind === undefined) return;
    const file = segments.at(end)?.path;
    logger.error(
      { physicalOffset: end, file, reason, records: behind.count, from: behind.first, to: behind.end },
      "the log is cut at a place that holds no record, although whole records lie behind it: expected after a power " +
        "loss; if the machine stayed up, the disk has damaged a record, and acknowledged messages are cut off",
    );
  }

  /** A queue none of whose messages is stored any more goes on counting where it was. */
  #keepNumbers(): void {
    const { plan, table, knownQueues, mark } = this.#parts;
    if (plan.kind !== "trusted" || mark === undefined || mark.truncateTo >= 0) return;
    for (const { topic, queueId, end } of knownQueues.queues) {
      const queue = table.findOrCreate(topic, queueId);
      if (this.#damaged.has(queue) && queue.minOffset === queue.end && queue.end < end) queue.load(end, end);
    }
  }

  /** Queues of another broker may reach beyond the log's end. */
  *#cutQueues(end: number): Slices<void> {
    let looked = 0;
    for (const queue of this.#parts.table.all()) {
      looked += 1;
      if (looked % SLICE_QUEUES === 0) yield;
      if (queue.ringBytes > 0 || newestPosition(this.#parts, queue) < end) continue;
      if (!loadQueue(this.#parts, queue, end)) this.#damaged.add(queue);
    }
  }

  /** Queues that are shorter than they have been: their files were taken away; and those half built again. */
  #findMissing(): void {
    const { plan, table, knownQueues, segments } = this.#parts;
    // Units behind the end that no record has led to: one before them is damaged, and the end with it.
    if (plan.kind === "trusted") {
      for (const [queue, reach] of this.#claims) if (queue.end < reach) this.#damaged.add(queue);
    }
    for (const { topic, queueId, min, end, isDamaged } of knownQueues.queues) {
      if (plan.kind !== "trusted" && !isDamaged) continue;
      const queue = table.findOrCreate(topic, queueId);
      if (isDamaged) this.#damaged.add(queue);
      const startIsMissing = queue.minOffset > min && knownQueues.logMin === segments.minOffset;
      if (queue.end < end || startIsMissing) this.#damaged.add(queue);
    }
  }
}
