/**
 * Finds a queue offset by store time, by bisection (RocketMQ: ConsumeQueue.getOffsetInQueueByTime). Store times
 * never decrease along the log, so they never decrease along a queue.
 *
 *   lower: the first message stored at or after the time; the queue's end when there is none
 *   upper: the last message stored at or before the time; the queue's first when there is none
 */
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { RecordLookup } from "./record-lookup.ts";

export function searchByTime(
  lookup: RecordLookup,
  queue: ConsumeQueue,
  timestampMs: number,
  boundary: "lower" | "upper",
  done: (offset: number) => void,
): void {
  const first = queue.minOffset;
  // Everything below `low` is too early (lower: before the time; upper: at or before it), nothing from `high` on is.
  let low = first;
  let high = queue.end;
  const finish = () => done(boundary === "lower" ? low : Math.max(first, low - 1));
  const step = (): void => {
    if (low >= high) {
      finish();
      return;
    }
    const middle = low + Math.floor((high - low) / 2);
    lookup.timestamp(queue, middle, (stored) => {
      // A message that cannot be read counts as early: the answer is then one that can be.
      const early = boundary === "lower" ? stored < timestampMs : stored <= timestampMs;
      if (early) low = middle + 1;
      else high = middle;
      step();
    });
  };
  step();
}
