/**
 * Finds out which messages of which queues go with the log below an offset, before it is removed: what a warning
 * is made of, and the queues' new first offsets afterwards. A queue whose first message stays costs one look at
 * its first unit, kept in memory; the others a bisection of their units. A few queues per turn of the event
 * loop: there may be a hundred thousand.
 */
import type { HostError, Logger, Timers } from "@orbitmq/host";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { ConsumeQueueFiles } from "../consume-queue/consume-queue-files.ts";
import { firstUnitBehind, unitPosition } from "../consume-queue/queue-load.ts";

/** Messages of a queue that are no longer stored, or will not be: offsets [from, to). */
export interface RemovedRange {
  readonly queue: ConsumeQueue;
  readonly from: number;
  readonly to: number;
}

/** Work of one turn: a look at a first unit counts one, a bisection many. */
const WORK_PER_TURN = 32;
const BISECTION_WORK = 16;

export interface SurveyParts {
  readonly timers: Timers;
  readonly files: ConsumeQueueFiles;
  /** A truncation moves what is looked at; a survey that meets one ends with nothing. */
  readonly generation: () => number;
  readonly logger: Logger;
}

/** `done` gets the queues that lose messages when the log begins at `limit`; `undefined` when it was overtaken. */
export function surveyQueues(
  { timers, files, generation, logger }: SurveyParts,
  queues: Iterator<ConsumeQueue>,
  limit: number,
  done: (ranges: RemovedRange[] | undefined) => void,
): void {
  const ranges: RemovedRange[] = [];
  const begun = generation();
  const turn = (): void => {
    if (generation() !== begun) {
      done(undefined);
      return;
    }
    for (let work = 0; work < WORK_PER_TURN; work += 1) {
      const next = queues.next();
      if (next.done === true) {
        done(ranges);
        return;
      }
      const queue = next.value;
      if (queue.minOffset >= queue.end) continue;
      try {
        if (!queue.checked) files.whenFirstUsed(queue);
        if (firstPosition(files, queue) >= limit) continue;
        ranges.push({ queue, from: queue.minOffset, to: firstUnitBehind(files, queue, limit) });
      } catch (error) {
        logger.error(
          { err: error as HostError, topic: queue.topic, queueId: queue.queueId },
          "a ConsumeQueue cannot be read; old segments are removed later",
        );
        done(undefined);
        return;
      }
      work += BISECTION_WORK;
    }
    timers.afterTurn(turn);
  };
  turn();
}

/** Where the queue's first record lies; remembered with the queue. */
function firstPosition(files: ConsumeQueueFiles, queue: ConsumeQueue): number {
  if (queue.minPosition < 0) {
    queue.minPosition =
      queue.minOffset >= queue.ringStart
        ? queue.physicalOffsetAt(queue.minOffset)
        : unitPosition(files, queue, queue.minOffset);
  }
  return queue.minPosition;
}
