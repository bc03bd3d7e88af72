/**
 * A damaged record in the part of the log that recovery reads, of which a queue's file still knows place and size:
 * it keeps its place in its queue, so that consumers wait there and nobody else does, and the log goes on behind it.
 */
import { HostError } from "@orbitmq/host";
import { RECORD_BYTES_MIN, readInt64 } from "@orbitmq/wire";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import { BLANK_UNIT_SIZE, type ConsumeQueue, UNIT_BYTES } from "../consume-queue/consume-queue.ts";
import type { ConsumeQueueFiles } from "../consume-queue/consume-queue-files.ts";
import type { QueueTable } from "../consume-queue/queue-table.ts";

export interface HeldRecord {
  readonly queue: ConsumeQueue;
  readonly size: number;
  readonly tagsCode: number;
}

export interface HeldParts {
  readonly segments: SegmentSet;
  readonly queueFiles: ConsumeQueueFiles;
  readonly table: QueueTable;
}

/**
 * The queue whose next unit, as its file has it, points at `position`; all records before must be in their queues
 * already. `undefined` when no file says so. Blocking. Throws HostError.
 */
export function heldRecord(
  { segments, queueFiles, table }: HeldParts,
  position: number,
): HeldRecord | undefined {
  const unit = Buffer.alloc(UNIT_BYTES);
  const room = segments.segmentBytes - (position % segments.segmentBytes);
  for (const queue of table.all()) {
    try {
      queueFiles.readSync(queue, queue.end, unit);
    } catch (error) {
      // Its next file does not exist yet, or cannot be read: it does not know.
      if (error instanceof HostError) continue;
      throw error;
    }
    const size = unit.readInt32BE(8);
    const isThere = readInt64(unit, 0) === position && size !== BLANK_UNIT_SIZE;
    if (isThere && size >= RECORD_BYTES_MIN && size <= room) {
      return { queue, size, tagsCode: readInt64(unit, 12) };
    }
  }
  return undefined;
}
