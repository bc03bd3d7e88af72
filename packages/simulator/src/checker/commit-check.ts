/**
 * Offsets of groups against the ends of their listeners: an offset passes a message only after its success, or when
 * the broker has taken it back.
 */
import { brokerOf, type HistoryEvent, type QueueKey } from "./history.ts";
import type { Report } from "./slot-table.ts";

interface Progress {
  readonly broker: string;
  /** Offsets whose listener succeeded, beyond `prefix`. */
  readonly done: Set<number>;
  /** Everything below succeeded. */
  prefix: number;
  /** The newest commits: with these the group may be left, as two members' commits may overtake each other. */
  last: { readonly atMs: number; readonly offset: number; isOpen: boolean }[];
  /** When the broker's process ended before it had to have written the last commit; -1 when it did not. */
  unsureMs: number;
}

/** Brokers write commits to their disk within this: every 5 s, and again 5 s after a write that failed. */
const WRITTEN_MS = 17_000;

/** Commits closer together than this may arrive in the other order. */
const OVERTAKE_MS = 1_000;

/** A commit that nobody saw arrive may still do so, over a slow network. */
const UNDERWAY_MS = 15_000;

export class CommitCheck {
  readonly #report: Report;
  readonly #removedTo: (queue: QueueKey) => number;
  readonly #progress = new Map<string, Progress>();
  readonly #lost = new Set<string>();

  /** `removedTo`: below that offset a queue's messages may be gone, and groups go on from there. */
  constructor(report: Report, removedTo: (queue: QueueKey) => number = () => 0) {
    this.#report = report;
    this.#removedTo = removedTo;
  }

  listened(event: Extract<HistoryEvent, { kind: "listened" | "sent-back" }>): void {
    const progress = this.#of(event.group, event.queue);
    if (event.offset < progress.prefix) return;
    progress.done.add(event.offset);
    while (progress.done.delete(progress.prefix)) progress.prefix++;
  }

  /** All messages of the queue below are done with, for the group. */
  doneBelow(group: string, queue: QueueKey): number {
    return this.#of(group, queue).prefix;
  }

  committed(event: Extract<HistoryEvent, { kind: "committed" }>): void {
    const { group, queue, offset, atMs } = event;
    const progress = this.#of(group, queue);
    const { prefix } = progress;
    if (event.reaches) {
      this.#certain(progress, atMs);
    }
    // One that seems to be lost may arrive all the same: it takes no earlier one's place, but may be the one kept.
    progress.last.push({ atMs, offset, isOpen: !event.reaches });
    if (offset <= prefix || this.#lost.has(brokerOf(queue))) return;
    this.#report(
      "commit-after-listener",
      atMs,
      `${group} committed ${offset} in ${queue} while the listener of offset ${prefix} had not succeeded`,
    );
  }

  /** A commit that came with a pull was taken for certain, by the process that is there since at least `sentMs`. */
  taken({ group, queue, offset, sentMs }: Extract<HistoryEvent, { kind: "commit-taken" }>): void {
    const progress = this.#of(group, queue);
    const taken = progress.last.filter((commit) => commit.offset === offset && commit.atMs <= sentMs);
    if (taken.length > 0) {
      for (const commit of taken) commit.isOpen = false;
      this.#certain(progress, sentMs);
    } else {
      // It was long on its way: one that was sent later may have been taken before it.
      progress.last.unshift({ atMs: sentMs, offset, isOpen: false });
    }
  }

  /** Something sent at `atMs` was committed: what was sent long before is not what is kept. */
  #certain(progress: Progress, atMs: number): void {
    const { last, unsureMs } = progress;
    if (unsureMs <= atMs) progress.unsureMs = -1;
    progress.last = last.filter(
      (commit) => commit.atMs >= atMs - (commit.isOpen ? UNDERWAY_MS : OVERTAKE_MS),
    );
  }

  /** What is left of the commits after a crash. */
  kept(event: Extract<HistoryEvent, { kind: "group-offset" }>): void {
    const { last, unsureMs } = this.#of(event.group, event.queue);
    // A commit beyond what the power loss left of the queue is kept as the queue's end.
    if (this.#lost.has(brokerOf(event.queue))) return;
    if (unsureMs >= 0 || last.length === 0 || last.some(({ offset }) => offset === event.offset)) return;
    this.#report(
      "commit-kept",
      event.atMs,
      `${event.group} committed ${last.at(-1)?.offset} in ${event.queue}; after the crash it is ${event.offset ?? "unknown"}`,
    );
  }

  within({ group, queue, offset, end, atMs }: Extract<HistoryEvent, { kind: "offset-and-end" }>): void {
    if (offset > end)
      this.#report("commit-within", atMs, `${group} is at ${offset} in ${queue}, which ends at ${end}`);
  }

  brokerEnded(broker: string, atMs: number): void {
    for (const progress of this.#progress.values()) {
      const { broker: own, last } = progress;
      if (own === broker && (last.at(-1)?.atMs ?? 0) > atMs - WRITTEN_MS) progress.unsureMs = atMs;
    }
  }

  /** The broker may have gone back to offsets before the last ones. */
  offsetsDoubtful(broker: string, atMs: number): void {
    for (const progress of this.#progress.values()) if (progress.broker === broker) progress.unsureMs = atMs;
  }

  /** Offsets of this broker's queues may run ahead from now on (ASYNC_FLUSH after a power loss). */
  forgetBroker(broker: string): void {
    this.#lost.add(broker);
  }

  #of(group: string, queue: QueueKey): Progress {
    const key = `${group} ${queue}`;
    let progress = this.#progress.get(key);
    if (progress === undefined) {
      progress = { broker: brokerOf(queue), done: new Set(), prefix: 0, last: [], unsureMs: -1 };
      this.#progress.set(key, progress);
    }
    const removedTo = this.#removedTo(queue);
    if (progress.prefix < removedTo) {
      progress.prefix = removedTo;
      while (progress.done.delete(progress.prefix)) progress.prefix++;
    }
    return progress;
  }
}
