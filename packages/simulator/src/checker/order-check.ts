/**
 * Groups whose listeners run in order: one listener at a time works on a queue, whoever runs it, and on a message only
 * after all before it have ended well or are the broker's again.
 */
import { brokerOf, type HistoryEvent, type QueueKey } from "./history.ts";
import type { Report } from "./slot-table.ts";

type Listening = Extract<HistoryEvent, { kind: "listening" }>;

interface Running {
  readonly by: string;
  readonly offset: number;
}

export class OrderCheck {
  readonly #report: Report;
  /** Brokers that may give a queue away that somebody has. */
  readonly #doubtful = new Set<string>();
  /** By group and queue. */
  readonly #running = new Map<string, Running[]>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** `prefix`: all messages of the queue below it are done with. */
  began({ by, group, queue, offset, id, atMs }: Listening, prefix: number): void {
    const running = this.#of(group, queue);
    for (const other of this.#doubtful.has(brokerOf(queue)) ? [] : running) {
      this.#report(
        "one-at-a-time",
        atMs,
        `${by} began with ${id} at ${queue} offset ${offset} while ${other.by} of ${group} was at offset ${other.offset}`,
      );
    }
    if (offset > prefix) {
      this.#report(
        "in-order",
        atMs,
        `${by} of ${group} began with ${id} at ${queue} offset ${offset}, and offset ${prefix} is not done`,
      );
    }
    running.push({ by, offset });
  }

  ended({ by, group, queue, offset }: Extract<HistoryEvent, { kind: "listened" }>): void {
    const running = this.#of(group, queue);
    const index = running.findIndex((one) => one.by === by && one.offset === offset);
    if (index >= 0) running.splice(index, 1);
  }

  /** A process ended, and its listeners with it. */
  memberEnded(by: string): void {
    for (const [key, running] of this.#running) {
      this.#running.set(
        key,
        running.filter((one) => one.by !== by),
      );
    }
  }

  locksDoubtful(broker: string): void {
    this.#doubtful.add(broker);
  }

  #of(group: string, queue: QueueKey): Running[] {
    const key = `${group} ${queue}`;
    let running = this.#running.get(key);
    if (running === undefined) {
      running = [];
      this.#running.set(key, running);
    }
    return running;
  }
}
