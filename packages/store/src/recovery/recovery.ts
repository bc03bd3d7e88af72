/**
 * Brings a store to a state that can be served, whatever stopped it before (facts: RocketMQ recovers normally
 * or abnormally; we add our mark, see recovery-plan.ts). Blocking; nothing is served meanwhile. Stopped halfway
 * it can be run again: the old mark counts until all of it is on disk.
 *
 *   1. where to start     the mark, or RocketMQ's way
 *   2. queues             loaded up to there; what lies behind in their files will be written over
 *   3. scan               every record from there to the first that is none; that is the log's end
 *   4. repair             the unsynced part written again and synced, leftovers behind the end zeroed
 *   5. dispatch           records from there into the queues, in memory; their files follow in the usual rounds
 *   6. damaged queues     those with gaps, or shorter than they have been: once more from the log's start
 */
import type { Files, Logger } from "@orbitmq/host";
import { checkRecord, RECORD_BYTES_MIN, RecordField, readInt64, storeTimestampAt } from "@orbitmq/wire";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import { BLANK_UNIT_SIZE, type ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { ConsumeQueueFiles } from "../consume-queue/consume-queue-files.ts";
import { emptied, loadQueue, loadQueues, newestPosition } from "../consume-queue/queue-load.ts";
import type { QueueTable } from "../consume-queue/queue-table.ts";
import type { KnownQueues } from "../consume-queue/queue-table-file.ts";
import { isDispatched, readDispatchFields } from "../dispatch/dispatch-fields.ts";
import { StoreError } from "../store-error.ts";
import type { CheckpointFile } from "./checkpoint-file.ts";
import { repairTail } from "./log-repair.ts";
import { type ScanEnd, scanLog } from "./log-scan.ts";
import type { Mark } from "./mark-file.ts";
import type { RecoveryPlan } from "./recovery-plan.ts";

export interface RecoveryParts {
  readonly files: Files;
  readonly segments: SegmentSet;
  readonly queueFiles: ConsumeQueueFiles;
  readonly table: QueueTable;
  readonly checkpoint: CheckpointFile;
  readonly plan: RecoveryPlan;
  readonly mark: Mark | undefined;
  readonly knownQueues: KnownQueues;
  /** `messageDelayLevel` as milliseconds. */
  readonly delaysMs: readonly number[];
  readonly logger: Logger;
  /** The queue has units its file has not. */
  queueChanged(queue: ConsumeQueue): void;
  /** Called now and then while much is dispatched: memory may be emptied into files. */
  gathered(): void;
}

export interface Recovered {
  /** End of the log; all of it is on disk. */
  readonly end: number;
  /** The units of all records below are on disk. */
  readonly dispatched: number;
  readonly lastStoreTimestamp: number;
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
}

/** Units dispatched between two calls of `gathered`. */
const GATHER_UNITS = 500_000;
/** A larger step in a queue's offsets is taken for a wrong record, not for missing units. */
const GAP_UNITS_MAX = 1_000_000;

/** Throws StoreError DAMAGED when what was on disk is not there, HostError when the disk refuses. */
export function recover(parts: RecoveryParts): Recovered {
  return new Recovery(parts).run();
}

class Recovery {
  readonly #parts: RecoveryParts;
  readonly #damaged = new Set<ConsumeQueue>();
  readonly #claims = new Map<ConsumeQueue, number>();
  #lastStoreTimestamp = 0;
  #sinceGathered = 0;
  /** First record younger than the checkpoint: from there on a Java broker may not have synced. */
  #unsyncedFrom = Number.POSITIVE_INFINITY;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  run(): Recovered {
    const { plan, checkpoint, mark } = this.#parts;
    this.#lastStoreTimestamp = Math.max(checkpoint.physicMsgTimestamp, mark?.lastStoreTimestamp ?? 0);
    if (plan.kind !== "trusted" || !plan.isClean) this.#parts.queueFiles.distrustNames();
    const start = this.#start();
    const strictFrom = plan.kind === "trusted" ? start.flushed : Number.POSITIVE_INFINITY;
    const scanned = scanLog(
      this.#parts.segments,
      start.scanFrom,
      { limit: start.limit, strictFrom },
      (bytes, at, size, position) => this.#visit(bytes, at, size, position, start.scanFrom),
    );
    if (scanned.end < start.flushed) throw this.#lost(scanned, start.flushed);
    this.#repair(start, scanned);
    if (plan.kind !== "trusted") this.#cutQueues(scanned.end);
    this.#findMissing();
    if (this.#damaged.size > 0) this.#rebuild(scanned.end);
    return {
      end: scanned.end,
      dispatched: start.scanFrom,
      lastStoreTimestamp: this.#lastStoreTimestamp,
    };
  }

  #start(): Start {
    const { plan, mark, segments } = this.#parts;
    if (plan.kind === "trusted" && mark !== undefined) {
      const scanFrom = Math.max(mark.dispatchedOffset, segments.minOffset);
      this.#load(scanFrom);
      const { flushedOffset, truncateTo, writeLimit } = mark;
      const limit = truncateTo >= 0 ? truncateTo : Number.POSITIVE_INFINITY;
      return { scanFrom, flushed: flushedOffset, limit, writeLimit };
    }
    const scanFrom = plan.kind === "java-dirty" ? this.#beforeCheckpoint() : this.#belowQueues();
    return { scanFrom, flushed: 0, limit: Number.POSITIVE_INFINITY, writeLimit: Number.POSITIVE_INFINITY };
  }

  /** Start of the newest segment that surely was complete, queues included, when the checkpoint was written. */
  #beforeCheckpoint(): number {
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
    this.#load(scanFrom);
    return scanFrom;
  }

  /** Start of the newest segment that the queues reach into. */
  #belowQueues(): number {
    const { segments, table } = this.#parts;
    this.#load(segments.fileEnd);
    let newest = -1;
    for (const queue of table.all()) newest = Math.max(newest, newestPosition(this.#parts, queue));
    return segments.at(newest)?.start ?? segments.minOffset;
  }

  #load(unitsBelow: number): void {
    for (const queue of loadQueues({ ...this.#parts, claims: this.#claims }, unitsBelow))
      this.#damaged.add(queue);
  }

  #visit(bytes: Buffer, at: number, size: number, position: number, scanFrom: number): void {
    const { delaysMs, checkpoint, segments, table } = this.#parts;
    const fields = readDispatchFields(bytes, at, delaysMs);
    this.#lastStoreTimestamp = Math.max(this.#lastStoreTimestamp, fields.storeTimestamp);
    if (fields.storeTimestamp > checkpoint.safeLogTimestamp) {
      this.#unsyncedFrom = Math.min(this.#unsyncedFrom, position);
    }
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

  #append(queue: ConsumeQueue, position: number, size: number, tagsCode: number): void {
    queue.append(position, size, tagsCode, Number.POSITIVE_INFINITY);
    queue.nextOffset = queue.end;
    if (!queue.dirty) this.#parts.queueChanged(queue);
    this.#sinceGathered += 1;
    if (this.#sinceGathered < GATHER_UNITS) return;
    this.#sinceGathered = 0;
    this.#parts.gathered();
  }

  #repair(start: Start, scanned: ScanEnd): void {
    const { plan, files, segments, logger } = this.#parts;
    if (plan.kind === "new" || (plan.kind === "trusted" && plan.isClean)) return;
    const { end } = scanned;
    let from = end;
    if (plan.kind === "trusted") from = start.flushed;
    else if (plan.kind === "java-dirty") from = Math.min(end, this.#unsyncedFrom);
    const positions = { from, end, limit: start.writeLimit };
    const cleared = repairTail(files, segments, positions, scanned.fillings);
    logger.info({ from, end, cleared, reason: scanned.reason }, "the log's end was read and written again");
  }

  /** Queues of another broker may reach beyond the log's end. */
  #cutQueues(end: number): void {
    for (const queue of this.#parts.table.all()) {
      if (queue.ringBytes > 0 || newestPosition(this.#parts, queue) < end) continue;
      if (!loadQueue(this.#parts, queue, end)) this.#damaged.add(queue);
    }
  }

  /** Queues that are shorter than they have been: their files were taken away. */
  #findMissing(): void {
    const { plan, table, knownQueues, segments } = this.#parts;
    if (plan.kind !== "trusted") return;
    // Units behind the end that no record has led to: one before them is damaged, and the end with it.
    for (const [queue, reach] of this.#claims) if (queue.end < reach) this.#damaged.add(queue);
    for (const { topic, queueId, min, end } of knownQueues.queues) {
      const queue = table.findOrCreate(topic, queueId);
      const startIsMissing = queue.minOffset > min && knownQueues.logMin === segments.minOffset;
      if (queue.end < end || startIsMissing) this.#damaged.add(queue);
    }
  }

  /** Builds the damaged queues again from the log's start. Throws StoreError DAMAGED when the log cannot be read to its end. */
  #rebuild(end: number): void {
    const { segments, delaysMs, logger, table } = this.#parts;
    const queues = [...this.#damaged].map(({ topic, queueId }) => `${topic}/${queueId}`);
    logger.warn(
      { count: queues.length, queues: queues.slice(0, 20) },
      "ConsumeQueues are missing or damaged; they are built again from the log",
    );
    for (const queue of this.#damaged) emptied(this.#parts, queue);
    const options = { limit: end, strictFrom: Number.POSITIVE_INFINITY };
    const scanned = scanLog(segments, segments.minOffset, options, (bytes, at, size, position) => {
      const fields = readDispatchFields(bytes, at, delaysMs);
      if (!isDispatched(fields.sysFlag)) return;
      const queue = table.findOrCreate(fields.topic, fields.queueId);
      if (!this.#damaged.has(queue) || fields.queueOffset < queue.end) return;
      if (queue.end === queue.minOffset && queue.end < fields.queueOffset) {
        queue.load(fields.queueOffset, fields.queueOffset);
      }
      if (fields.queueOffset - queue.end > GAP_UNITS_MAX) {
        logger.error({ position, ...fields }, "a record's queue offset cannot be right; it is left out");
        return;
      }
      while (queue.end < fields.queueOffset) this.#append(queue, 0, BLANK_UNIT_SIZE, 0);
      this.#append(queue, position, size, fields.tagsCode);
    });
    if (scanned.end < end) throw this.#lost(scanned, end);
  }

  #lost(scanned: ScanEnd, end: number): StoreError {
    const segment = this.#parts.segments.at(scanned.end);
    const place = segment === undefined ? "" : ` (${segment.path}, byte ${scanned.end - segment.start})`;
    return new StoreError(
      "DAMAGED",
      `the record at offset ${scanned.end}${place} cannot be read: ${scanned.reason}; ` +
        `${end - scanned.end} bytes from there on were on disk before, bring the file back from a copy`,
    );
  }
}
