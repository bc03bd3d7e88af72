/**
 * Builds ConsumeQueues again from the log when their files are missing or are not what they were left as: the whole
 * log is read, in slices. That they are being built is on disk before anything of them is removed, so that a crash or
 * a stop halfway does not leave half a queue that passes for a whole one.
 *
 * In a store that is open the new queue is gathered beside the old one, which keeps its numbers and answers that its
 * units cannot be read yet, so that no consumer is led elsewhere:
 *
 *   damaged → building (marked in the queue table on disk) → built and on disk → taken over in one turn → checked
 *   building → damaged   stopped, or the disk refuses: the next start builds it
 */
import type { Files } from "@orbitmq/host";
import { BLANK_UNIT_SIZE, ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { ConsumeQueueFiles } from "../consume-queue/consume-queue-files.ts";
import { SLICE_QUEUES } from "../consume-queue/queue-load.ts";
import { isDispatched, readDispatchFields } from "../dispatch/dispatch-fields.ts";
import type { Engine } from "../engine.ts";
import { passOver } from "../integrity/pass-over.ts";
import { hideDeleted } from "../retention/topic-deletion.ts";
import { atOnce, type Slices } from "../slices.ts";
import { StoreError } from "../store-error.ts";
import { scanSlices, unreadable } from "./log-scan.ts";
import type { RecoveryParts } from "./recovery.ts";
import { ScanProgress } from "./scan-progress.ts";

/** Units appended between two times that memory is emptied into files. */
export const GATHER_UNITS = 500_000;
/** A larger step in a queue's offsets is taken for a wrong record, not for missing units. */
const GAP_UNITS_MAX = 1_000_000;
const SLICE_SYNCS = 8;

export type RebuildParts = Pick<
  RecoveryParts,
  "segments" | "queueFiles" | "table" | "delaysMs" | "logger" | "damagedFound" | "skips"
>;

export interface Gathering {
  append(queue: ConsumeQueue, position: number, size: number, tagsCode: number): void;
  /** Done between two slices. */
  between(position: number): Slices<void>;
}

/**
 * Removes what there is of the damaged queues, the keys of `targets`, and gives `append` the records below `end` in
 * order for what is gathered of each, the values, with blank units where offsets are missing. Throws StoreError
 * DAMAGED when the log cannot be read so far, HostError when the disk refuses.
 */
export function* rebuildQueues(
  parts: RebuildParts,
  targets: ReadonlyMap<ConsumeQueue, ConsumeQueue>,
  end: number,
  { append, between }: Gathering,
): Slices<void> {
  const { segments, delaysMs, logger, table, queueFiles, skips } = parts;
  const damaged = new Set(targets.keys());
  const names = [...damaged].slice(0, 20).map(({ topic, queueId }) => `${topic}/${queueId}`);
  logger.warn(
    { count: damaged.size, queues: names },
    "ConsumeQueues are missing or damaged; they are built again from the log",
  );
  parts.damagedFound(damaged);
  let removed = 0;
  for (const [{ topic, queueId }, target] of targets) {
    queueFiles.removeFiles(topic, queueId);
    target.load(0, 0);
    removed += 1;
    if (removed % SLICE_QUEUES === 0) yield;
  }
  const targetOf = (topic: string, queueId: number): ConsumeQueue | undefined =>
    targets.get(table.findOrCreate(topic, queueId));
  const found = {
    findOrCreate: (topic: string, queueId: number) =>
      targetOf(topic, queueId) ?? table.findOrCreate(topic, queueId),
  };
  const built = new Set(targets.values());
  const options = {
    limit: end,
    strictFrom: Number.POSITIVE_INFINITY,
    passOver: (position: number) =>
      passOver({ skips, logger, table: found }, position, (queue) => {
        if (built.has(queue)) append(queue, 0, BLANK_UNIT_SIZE, 0);
      }),
    between,
  };
  const scanned = yield* scanSlices(segments, segments.minOffset, options, (bytes, at, size, position) => {
    const fields = readDispatchFields(bytes, at, delaysMs);
    if (!isDispatched(fields.sysFlag)) return;
    const queue = targetOf(fields.topic, fields.queueId);
    if (queue === undefined || fields.queueOffset < queue.end) return;
    if (queue.end === queue.minOffset && queue.end < fields.queueOffset) {
      queue.load(fields.queueOffset, fields.queueOffset);
    }
    if (fields.queueOffset - queue.end > GAP_UNITS_MAX) {
      logger.error({ position, ...fields }, "a record's queue offset cannot be right; it is left out");
      return;
    }
    while (queue.end < fields.queueOffset) append(queue, 0, BLANK_UNIT_SIZE, 0);
    append(queue, position, size, fields.tagsCode);
  });
  if (scanned.end < end) throw unreadable(segments, scanned, end);
}

/** Queues gathered beside those that are served. */
class Built {
  readonly #files: Files;
  readonly #queueFiles: ConsumeQueueFiles;
  #changed: ConsumeQueue[] = [];
  #units = 0;

  constructor(files: Files, queueFiles: ConsumeQueueFiles) {
    this.#files = files;
    this.#queueFiles = queueFiles;
  }

  readonly append = (queue: ConsumeQueue, position: number, size: number, tagsCode: number): void => {
    queue.append(position, size, tagsCode, Number.POSITIVE_INFINITY);
    if (!queue.dirty) {
      queue.dirty = true;
      this.#changed.push(queue);
    }
    this.#units += 1;
    // Units that stand for no message may be many between two records.
    if (this.#units >= 2 * GATHER_UNITS) atOnce(this.flush());
  };

  /** Brings much to disk. */
  *flushMuch(): Slices<void> {
    if (this.#units >= GATHER_UNITS) yield* this.flush();
  }

  /** Brings everything to disk. */
  *flush(): Slices<void> {
    const queues = this.#changed;
    this.#changed = [];
    this.#units = 0;
    let syncs = 0;
    for (const queue of queues) {
      queue.dirty = false;
      for (const path of this.#queueFiles.writeUnits(queue, queue.end)) {
        this.#queueFiles.syncSync(path);
        syncs += 1;
        if (syncs % SLICE_SYNCS === 0) yield;
      }
      queue.synced = queue.written;
      queue.shrink(Number.POSITIVE_INFINITY);
    }
    const folders = this.#queueFiles.unsyncedFolders();
    for (const folder of folders) {
      this.#files.syncFolderSync(folder);
      syncs += 1;
      if (syncs % SLICE_SYNCS === 0) yield;
    }
    this.#queueFiles.foldersSynced(folders);
  }
}

/** The same in a store that is open, while its writer is held. */
export function* rebuildWhileOpen(engine: Engine): Slices<void> {
  const { writer, table, dispatch, queueFlush, queueFiles, segments, delaysMs, logger, host, skips } = engine;
  queueFlush.hold();
  try {
    yield* engine.queueCheck.finish();
    const targets = new Map<ConsumeQueue, ConsumeQueue>();
    for (const queue of table.all()) {
      if (queue.damaged) targets.set(queue, new ConsumeQueue(queue.topic, queue.queueId, table.pool));
    }
    if (targets.size === 0) return;
    writer.flushAllSync();
    // A round under way is about units that are not there any more, and reads under way start again.
    queueFlush.truncated(dispatch.dispatched);
    readAgain(engine);
    const damagedFound = (queues: ReadonlySet<ConsumeQueue>) => engine.saveDamaged(queues);
    const parts = { segments, queueFiles, table, delaysMs, logger, damagedFound, skips };
    const built = new Built(host.files, queueFiles);
    const progress = new ScanProgress(host.clock, logger, segments.minOffset, dispatch.dispatched);
    const between = function* (position: number): Slices<void> {
      progress.at("ConsumeQueues are built again", position);
      yield* built.flushMuch();
    };
    let stopsAt: StoreError | undefined;
    try {
      yield* rebuildQueues(parts, targets, dispatch.dispatched, { append: built.append, between });
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== "DAMAGED") throw error;
      stopsAt = error;
    }
    for (const [{ end }, target] of targets) {
      // Its records may be gone with their segments: what comes next still gets the next offset.
      if (target.minOffset === target.end && target.end < end) target.load(end, end);
      // Where the log cannot be read nobody knows what was there: consumers wait at an empty unit, they do not pass it.
      const fill = stopsAt === undefined ? BLANK_UNIT_SIZE : 0;
      while (target.end < end) built.append(target, segments.minOffset, fill, 0);
      yield* built.flushMuch();
    }
    yield* built.flush();
    for (const [queue, { minOffset, end, sum, sumTo }] of targets) {
      const { nextOffset } = queue;
      queue.load(minOffset, end);
      queue.sum = sum;
      queue.sumTo = sumTo;
      queue.nextOffset = Math.max(nextOffset, end);
      queue.checked = true;
      queue.damaged = false;
    }
    yield* hideDeleted(engine);
    readAgain(engine);
    engine.countMessages();
    if (stopsAt === undefined) {
      engine.saveTableSync();
      logger.info({ count: targets.size }, "the ConsumeQueues are whole again");
      return;
    }
    engine.saveDamaged(new Set(targets.keys()));
    logger.error(
      { err: stopsAt },
      "ConsumeQueues are whole up to there only: give the record up (orbitmq store skip) and rebuild the queues",
    );
  } finally {
    queueFlush.resume();
  }
}

function readAgain({ units, reader }: Engine): void {
  units.clear();
  reader.generation += 1;
}
