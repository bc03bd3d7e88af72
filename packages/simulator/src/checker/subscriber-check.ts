/**
 * Groups that get messages in other ways than the ordinary ones, and members of broadcasting groups, each as a group of
 * its own: everything that was acknowledged in a topic they subscribe to reaches them; what was popped they acknowledge
 * only once its listener has succeeded; a member that keeps its own offsets repeats nothing after an orderly stop.
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
  readonly #groups: ReadonlySet<string>;
  readonly #listening: ReadonlySet<string>;
  readonly #subscribers: readonly Subscriber[];
  /** By `group queue`: offsets of listeners that succeeded. */
  readonly #done = new Map<string, Set<number>>();
  /** By `group queue`, of members that stopped in their orderly way: all from the first to below the second is done for good. */
  readonly #passed = new Map<string, readonly [from: number, below: number]>();
  /** By `group queue`: the first offset that a listener began with. */
  readonly #first = new Map<string, number>();

  constructor(report: Report, subscribers: readonly Subscriber[]) {
    this.#report = report;
    this.#subscribers = subscribers;
    this.#groups = new Set(subscribers.map(({ group }) => group));
    this.#listening = new Set(subscribers.filter(({ listens }) => listens).map(({ group }) => group));
  }

  listened({ group, queue, offset, givenUp }: Extract<HistoryEvent, { kind: "listened" }>): void {
    if (!this.#groups.has(group)) return;
    const key = `${group} ${queue}`;
    const done = this.#done.get(key) ?? new Set();
    this.#done.set(key, done);
    if (givenUp === true && !this.#listening.has(group)) {
      // The queue was given up meanwhile, and its offset kept without this one and those behind it.
      for (const each of done) if (each >= offset) done.delete(each);
    } else done.add(offset);
  }

  /** The member may have kept how far it was: up to the first message it was not done with. */
  resumed({ group, keeps }: Extract<HistoryEvent, { kind: "member-resumed" }>): void {
    for (const [key, done] of this.#done) {
      if (!key.startsWith(`${group} `)) continue;
      this.#passed.delete(key);
      const from = this.#first.get(key);
      if (!keeps || from === undefined) continue;
      let below = from;
      while (done.has(below)) below += 1;
      this.#passed.set(key, [from, below]);
    }
  }

  listening({ group, queue, offset, id, by, atMs }: Extract<HistoryEvent, { kind: "listening" }>): void {
    if (!this.#groups.has(group)) return;
    const key = `${group} ${queue}`;
    const [from, below] = this.#passed.get(key) ?? [0, 0];
    this.#first.set(key, Math.min(offset, this.#first.get(key) ?? offset));
    // It begins anew, and is not done with before that ends.
    if (!this.#listening.has(group)) this.#done.get(key)?.delete(offset);
    if (offset < from || offset >= below) return;
    this.#report(
      "goes-on",
      atMs,
      `${by} begins with ${id} at ${queue} offset ${offset}, which it had done when it stopped`,
    );
  }

  /** The acknowledgement leaves its member's process. */
  acknowledging({ group, queue, offset, atMs }: Extract<HistoryEvent, { kind: "pop-acknowledging" }>): void {
    if (!this.#listening.has(group) || this.#done.get(`${group} ${queue}`)?.has(offset) === true) return;
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
