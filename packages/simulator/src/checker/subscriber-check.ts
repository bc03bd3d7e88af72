/**
 * Groups that get messages in other ways than the ordinary ones, and members of broadcasting groups, each as a group of
 * its own: everything that was acknowledged in a topic they subscribe to reaches them; what was popped they acknowledge
 * only once its listener has succeeded.
 */
import { type HistoryEvent, type QueueKey, topicOf } from "./history.ts";
import type { Report } from "./slot-table.ts";

/** Subscribed to every message of a topic from the first on, and left running until the end. */
export interface Subscriber {
  readonly group: string;
  readonly topic: string;
  /** It acknowledges what it popped when its listener has succeeded, and nothing else. */
  readonly listens: boolean;
}

/** A message with a place that was acknowledged. */
export interface Acknowledged {
  readonly id: string;
  readonly queue: QueueKey;
  readonly offset: number;
  readonly atMs: number;
}

export class SubscriberCheck {
  readonly #report: Report;
  readonly #listening: ReadonlySet<string>;
  readonly #subscribers: readonly Subscriber[];
  /** `group queue offset` of listeners that succeeded. */
  readonly #done = new Set<string>();

  constructor(report: Report, subscribers: readonly Subscriber[]) {
    this.#report = report;
    this.#subscribers = subscribers;
    this.#listening = new Set(subscribers.filter(({ listens }) => listens).map(({ group }) => group));
  }

  listened({ group, queue, offset }: Extract<HistoryEvent, { kind: "listened" }>): void {
    if (this.#listening.has(group)) this.#done.add(`${group} ${queue} ${offset}`);
  }

  /** The acknowledgement leaves its member's process. */
  acknowledging({ group, queue, offset, atMs }: Extract<HistoryEvent, { kind: "pop-acknowledging" }>): void {
    if (!this.#listening.has(group) || this.#done.has(`${group} ${queue} ${offset}`)) return;
    this.#report(
      "acknowledged-after-listener",
      atMs,
      `${group} acknowledges ${queue} offset ${offset}, and no listener has succeeded there`,
    );
  }

  /** `isConsumed`: the group has had it; `isGone`: it may have been lost or removed, wherever it lay. */
  end(
    sent: Iterable<Acknowledged>,
    isConsumed: (group: string, id: string) => boolean,
    isGone: (message: Acknowledged) => boolean,
  ): void {
    if (this.#subscribers.length === 0) return;
    for (const message of sent) {
      const { id, queue, offset, atMs } = message;
      for (const { group, topic } of this.#subscribers) {
        if (topicOf(queue) !== topic || isConsumed(group, id) || isGone(message)) continue;
        this.#report(
          "consumed",
          atMs,
          `${id}, acknowledged at ${queue} offset ${offset}, was never consumed by ${group}`,
        );
      }
    }
  }
}
