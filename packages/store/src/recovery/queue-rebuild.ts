/**
 * Builds ConsumeQueues again from the log when their files are missing or are not what they were left as. Blocking:
 * the whole log is read. That they are being built is on disk before anything of them is removed, so that a crash
 * halfway does not leave half a queue that passes for a whole one.
 */
import { BLANK_UNIT_SIZE, type ConsumeQueue } from "../consume-queue/consume-queue.ts";
import { emptied } from "../consume-queue/queue-load.ts";
import { isDispatched, readDispatchFields } from "../dispatch/dispatch-fields.ts";
import type { Engine } from "../engine.ts";
import { passOver } from "../integrity/pass-over.ts";
import { StoreError } from "../store-error.ts";
import { scanLog, unreadable } from "./log-scan.ts";
import type { RecoveryParts } from "./recovery.ts";

/** Units appended between two times that memory is emptied into files. */
export const GATHER_UNITS = 500_000;
/** A larger step in a queue's offsets is taken for a wrong record, not for missing units. */
const GAP_UNITS_MAX = 1_000_000;

export type RebuildParts = Pick<
  RecoveryParts,
  "segments" | "files" | "queueFiles" | "table" | "delaysMs" | "logger" | "damagedFound" | "skips"
>;

/**
 * Removes what there is of the queues and gives `append` their records below `end` in order, with blank units where
 * offsets are missing. Throws StoreError DAMAGED when the log cannot be read so far, HostError when the disk refuses.
 */
export function rebuildQueues(
  parts: RebuildParts,
  damaged: ReadonlySet<ConsumeQueue>,
  end: number,
  append: (queue: ConsumeQueue, position: number, size: number, tagsCode: number) => void,
): void {
  const { segments, delaysMs, logger, table } = parts;
  const names = [...damaged].slice(0, 20).map(({ topic, queueId }) => `${topic}/${queueId}`);
  logger.warn(
    { count: damaged.size, queues: names },
    "ConsumeQueues are missing or damaged; they are built again from the log",
  );
  parts.damagedFound(damaged);
  for (const queue of damaged) emptied(parts, queue);
  const options = {
    limit: end,
    strictFrom: Number.POSITIVE_INFINITY,
    passOver: (position: number) =>
      passOver(parts, position, (queue) => {
        if (damaged.has(queue)) append(queue, 0, BLANK_UNIT_SIZE, 0);
      }),
  };
  const scanned = scanLog(segments, segments.minOffset, options, (bytes, at, size, position) => {
    const fields = readDispatchFields(bytes, at, delaysMs);
    if (!isDispatched(fields.sysFlag)) return;
    const queue = table.findOrCreate(fields.topic, fields.queueId);
    if (!damaged.has(queue) || fields.queueOffset < queue.end) return;
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
  for (const queue of damaged) {
    queue.checked = true;
    queue.damaged = false;
  }
}

/** The same in a store that is open, while its writer is held. */
export function rebuildWhileOpen(engine: Engine): void {
  const { writer, table, dispatch, queueFlush, queueFiles, segments, delaysMs, logger, host, skips } = engine;
  engine.queueCheck.finish();
  const damaged = new Set<ConsumeQueue>();
  const ends = new Map<ConsumeQueue, { readonly end: number; readonly pending: number }>();
  for (const queue of table.all()) {
    if (!queue.damaged) continue;
    damaged.add(queue);
    ends.set(queue, { end: queue.end, pending: queue.nextOffset - queue.end });
  }
  if (damaged.size === 0) return;
  writer.flushAllSync();
  // A round under way is about units that are not there any more, and reads under way start again.
  queueFlush.truncated(dispatch.dispatched);
  engine.units.clear();
  engine.reader.generation += 1;
  let gathered = 0;
  const damagedFound = (queues: ReadonlySet<ConsumeQueue>) => engine.saveDamaged(queues);
  const parts = { segments, files: host.files, queueFiles, table, delaysMs, logger, damagedFound, skips };
  const append = (queue: ConsumeQueue, position: number, size: number, tagsCode: number): void => {
    queue.append(position, size, tagsCode, Number.POSITIVE_INFINITY);
    if (!queue.dirty) engine.queueChanged(queue);
    gathered += 1;
    if (gathered % GATHER_UNITS === 0) queueFlush.flushAllSync();
  };
  let unreadable: StoreError | undefined;
  try {
    rebuildQueues(parts, damaged, dispatch.dispatched, append);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    unreadable = error;
  }
  for (const [queue, { end, pending }] of ends) {
    // Its records may be gone with their segments: what comes next still gets the next offset.
    if (queue.minOffset === queue.end && queue.end < end) queue.load(end, end);
    // Where the log cannot be read nobody knows what was there: consumers wait at an empty unit, they do not pass it.
    const fill = unreadable === undefined ? BLANK_UNIT_SIZE : 0;
    while (queue.end < end) append(queue, segments.minOffset, fill, 0);
    queue.checked = true;
    queue.damaged = false;
    queue.nextOffset = queue.end + pending;
  }
  queueFlush.flushAllSync();
  if (unreadable !== undefined) {
    engine.saveDamaged(damaged);
    logger.error(
      { err: unreadable },
      "ConsumeQueues are whole up to there only: give the record up (orbitmq store skip) and rebuild the queues",
    );
    return;
  }
  engine.saveTableSync();
  logger.info({ count: damaged.size }, "the ConsumeQueues are whole again");
}
