/** How a reading of the log goes past a record that an operator has given up. */
import type { Logger } from "@orbitmq/host";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { QueueTable } from "../consume-queue/queue-table.ts";
import type { SkipList } from "./skip-list.ts";

export interface PassOverParts {
  readonly skips: SkipList;
  readonly table: Pick<QueueTable, "findOrCreate">;
  readonly logger: Logger;
}

/**
 * Where the log goes on behind the unreadable record at `position`; `undefined` when nobody has given it up. Its
 * queue, when it ends just there, is passed to `leaveOut`: the message's offset stays taken.
 */
export function passOver(
  { skips, table, logger }: PassOverParts,
  position: number,
  leaveOut: (queue: ConsumeQueue) => void,
): number | undefined {
  const entry = skips.find(position);
  if (entry === undefined) return undefined;
  logger.error({ ...entry }, "a record that an operator has given up is left out");
  const { topic, queueId, queueOffset } = entry;
  if (topic === undefined || queueId === undefined) return entry.end;
  const queue = table.findOrCreate(topic, queueId);
  if (queue.end === queueOffset) leaveOut(queue);
  return entry.end;
}
