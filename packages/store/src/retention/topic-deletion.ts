/**
 * Deletes topics: first it is on disk that they are, then their queues begin at their ends. Files of the queues go with
 * the next round of the cleaner, except the last one of each, which knows the offset of the next message.
 *
 *   log on disk → deletion on disk → queues begin behind it
 *
 * A crash before the second step has deleted nothing; behind it, the next start does the rest.
 */
import { HostError } from "@orbitmq/host";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import { firstUnitBehind, unitPosition } from "../consume-queue/queue-load.ts";
import type { Engine } from "../engine.ts";
import type { Slices } from "../slices.ts";

/** Queues looked at in one slice. */
const SLICE_QUEUES = 64;

/**
 * While the writer is held. `refused` gets why the deletion cannot be written, and nothing has changed then. Throws
 * HostError when the log cannot be.
 */
export function* deleteTopics(
  engine: Engine,
  topics: readonly string[],
  refused: (error: HostError) => void,
): Slices<void> {
  const { writer, log, deleted, logger } = engine;
  writer.flushAllSync();
  try {
    deleted.addSync(topics, log.appended);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    refused(error);
    return;
  }
  yield* hideDeleted(engine, topics);
  engine.queueFileCleaner.clean();
  logger.info({ topics, position: log.appended }, "topics were deleted");
}

/** Moves the starts of queues behind what was deleted of their topics. */
export function* hideDeleted(engine: Engine, topics = engine.deleted.topics()): Slices<void> {
  const { table, deleted } = engine;
  let looked = 0;
  for (const topic of topics) {
    const position = deleted.positionOf(topic);
    for (const queueId of table.queueIds(topic)) {
      const queue = table.find(topic, queueId);
      if (queue !== undefined) hideBelow(engine, queue, position);
      looked += 1;
      if (looked % SLICE_QUEUES === 0) yield;
    }
  }
  if (looked > 0) engine.countMessages();
}

/** A queue that cannot be read is built again, and then hidden. */
function hideBelow({ queueFiles, logger }: Engine, queue: ConsumeQueue, position: number): void {
  if (queue.damaged || queue.minOffset >= queue.end) return;
  const { topic, queueId } = queue;
  try {
    if (!queue.checked) queueFiles.whenFirstUsed(queue);
    const { minOffset, ringStart } = queue;
    const first =
      minOffset >= ringStart ? queue.physicalOffsetAt(minOffset) : unitPosition(queueFiles, queue, minOffset);
    if (first < position) queue.removeBefore(firstUnitBehind(queueFiles, queue, position));
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    logger.error({ err: error, topic, queueId }, "a ConsumeQueue of a deleted topic cannot be read");
  }
}
