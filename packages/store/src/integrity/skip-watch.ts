/**
 * Queues that stand still at a record that cannot be read, and pulls that wait there: `orbitmq store skip` runs in a
 * process of its own, so while there is such a queue the list of what was skipped is looked at every second, and the
 * queue's pulls are told when the record was given up.
 *
 *   idle → watching   a queue is held
 *   watching → idle   the records of all held queues were given up, or removed for their age
 */
import { type Host, HostError, type TimerHandle } from "@orbitmq/host";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { SkipList } from "./skip-list.ts";

const INTERVAL_MS = 1_000;
/** Places beyond are found by the next pull only. */
const HELD_MAX = 1_000;

export class SkipWatch {
  readonly #host: Pick<Host, "timers">;
  readonly #skips: SkipList;
  readonly #logStart: () => number;
  readonly #released: (queue: ConsumeQueue) => void;
  /** Position of the record → its queue. */
  readonly #held = new Map<number, ConsumeQueue>();
  #timer: TimerHandle | undefined;
  #closed = false;

  constructor(
    host: Pick<Host, "timers">,
    skips: SkipList,
    logStart: () => number,
    released: (queue: ConsumeQueue) => void,
  ) {
    this.#host = host;
    this.#logStart = logStart;
    this.#skips = skips;
    this.#released = released;
  }

  /** `queue` stands still at the record at `position`. */
  held(queue: ConsumeQueue, position: number): void {
    if (this.#closed || this.#held.size >= HELD_MAX) return;
    this.#held.set(position, queue);
    this.#timer ??= this.#host.timers.after(INTERVAL_MS, this.#look);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#held.clear();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const hasChanged = this.#hasChanged();
    const logStart = this.#logStart();
    for (const [position, queue] of this.#held) {
      const isGone = position < logStart;
      if (!isGone && (!hasChanged || this.#skips.find(position) === undefined)) continue;
      this.#held.delete(position);
      this.#released(queue);
    }
    if (this.#held.size > 0) this.#timer = this.#host.timers.after(INTERVAL_MS, this.#look);
  };

  #hasChanged(): boolean {
    try {
      return this.#skips.hasChanged;
    } catch (error) {
      // It is looked at again in a second.
      if (error instanceof HostError) return false;
      throw error;
    }
  }
}
