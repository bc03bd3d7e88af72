/**
 * Finds a queue offset by store time, by bisection (RocketMQ: ConsumeQueue.getOffsetInQueueByTime). Store times
 * never decrease along the log, so they never decrease along a queue.
 *
 *   lower: the first message stored at or after the time; the queue's end when there is none
 *   upper: the last message stored at or before the time; the queue's first when there is none
 *
 * A message that cannot be read says nothing about its time: its successors are asked instead, and where none of
 * them is early it counts as late, so that the answer never lies behind a message it should not.
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
  const ask = (asked: number, middle: number): void => {
    lookup.timestamp(queue, asked, (stored) => {
      if (stored < 0 && asked + 1 < high) {
        ask(asked + 1, middle);
        return;
      }
      const isEarly = stored >= 0 && (boundary === "lower" ? stored < timestampMs : stored <= timestampMs);
      if (isEarly) low = asked + 1;
      else high = middle;
      step();
    });
  };
  const step = (): void => {
    if (low >= high) {
      finish();
      return;
    }
    const middle = low + Math.floor((high - low) / 2);
    ask(middle, middle);
  };
  step();
}
