/**
 * Cuts the log back to an offset. What was decided is on disk, in the mark, before anything is destroyed: a
 * crash in between makes recovery cut at the same place again, and what was cut off never comes back. Blocking,
 * while the writer is held.
 *
 *   memory: waiters behind the cut, dispatch, queues, hot tail, caches, readers under way
 *   disk:   intent → queue units zeroed → index cut → log zeroed, later segments removed → queue table, deleted topics → intent withdrawn
 */
import { assert } from "@orbitmq/host";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import { firstUnitBehind } from "../consume-queue/queue-load.ts";
import type { Engine } from "../engine.ts";
import { repairTail } from "./log-repair.ts";

/** Throws HostError when the disk refuses. `offset` must be the end of a record, or a segment's start. */
export function truncateLog(engine: Engine, offset: number): void {
  const { log, writer, segments, table, dispatch, queueFiles } = engine;
  assert(offset >= segments.minOffset && offset <= log.appended, "the cut lies in the log");
  const writtenBefore = Math.max(writer.written, engine.zeros.written);
  engine.writtenGate.fail(offset);
  engine.flushedGate.fail(offset);
  dispatch.truncate(offset);
  const { quietBelow } = engine;
  const cut: { queue: ConsumeQueue; from: number; to: number }[] = [];
  for (const queue of table.all()) {
    if (queue.ringBytes === 0 && offset >= quietBelow) {
      queue.nextOffset = queue.end;
      continue;
    }
    const to = queue.written;
    const end = firstUnitBehind(queueFiles, queue, offset);
    queue.cut(end);
    queue.nextOffset = queue.end;
    if (end < to) cut.push({ queue, from: end, to });
  }
  dispatch.countPending();
  engine.hotTail.truncate(offset);
  engine.queueFlush.truncated(offset);
  log.begin(offset);
  writer.cut(offset);
  engine.cold.clear();
  engine.units.clear();
  engine.reader.generation += 1;
  engine.logTail.truncated(offset);

  engine.countMessages();

  // What stays must be on disk before the mark says where the log ends.
  writer.flushAllSync();
  engine.mark.saveTruncation(offset);
  for (const { queue, from, to } of cut) {
    for (const path of queueFiles.zeroUnits(queue, from, to)) queueFiles.syncSync(path);
  }
  engine.indexFlush.abort();
  engine.index.cut(offset);
  engine.indexFlush.runSync(offset, "all");
  repairTail(segments, { from: offset, end: offset, limit: writtenBefore });
  engine.zeros.cut(offset, offset - (offset % segments.segmentBytes) + segments.segmentBytes);
  engine.saveTableSync();
  engine.deleted.cutSync(offset);
  engine.mark.saveTruncation(-1);
}
