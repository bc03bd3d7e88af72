/** Whose message lies at a place of the log, by the queues: what a record that cannot be read no longer tells. */
import { BLANK_UNIT_SIZE, UNIT_BYTES } from "../consume-queue/consume-queue.ts";
import type { StoreView } from "./store-view.ts";

export interface FoundUnit {
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
}

/** The queue unit that points at `position`, by bisection of every queue. Throws HostError. */
export function findUnit(view: StoreView, position: number): FoundUnit | undefined {
  for (const { topic, queueId } of view.queues()) {
    const { starts, bytes } = view.queueFiles(topic, queueId);
    if (starts.length === 0 || bytes < UNIT_BYTES) continue;
    let low = starts[0]!;
    let high = starts[starts.length - 1]! + bytes / UNIT_BYTES;
    const isBefore = (offset: number): boolean => {
      const unit = view.unitAt(topic, queueId, offset);
      if (unit === undefined || unit.size <= 0) return false;
      return unit.size === BLANK_UNIT_SIZE || unit.position < position;
    };
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      if (isBefore(middle)) low = middle + 1;
      else high = middle;
    }
    const unit = view.unitAt(topic, queueId, low);
    if (unit !== undefined && unit.size > 0 && unit.position === position) {
      return { topic, queueId, queueOffset: low };
    }
  }
  return undefined;
}
