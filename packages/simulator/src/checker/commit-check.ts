/** Offsets of groups against the ends of their listeners: an offset passes a message only after its success. */
import { brokerOf, type HistoryEvent, type QueueKey } from "./history.ts";
import type { Report } from "./slot-table.ts";

interface Progress {
  /** Offsets whose listener succeeded, beyond `prefix`. */
  readonly done: Set<number>;
  /** Everything below succeeded. */
  prefix: number;
}

export class CommitCheck {
  readonly #report: Report;
  readonly #progress = new Map<string, Progress>();
  readonly #lost = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  listened(event: Extract<HistoryEvent, { kind: "listened" }>): void {
    const progress = this.#of(event.group, event.queue);
    if (event.offset < progress.prefix) return;
    progress.done.add(event.offset);
    while (progress.done.delete(progress.prefix)) progress.prefix++;
  }

  committed(event: Extract<HistoryEvent, { kind: "committed" }>): void {
    const { group, queue, offset, atMs } = event;
    const { prefix } = this.#of(group, queue);
    if (offset <= prefix || this.#lost.has(brokerOf(queue))) return;
    this.#report(
      "commit-after-listener",
      atMs,
      `${group} committed ${offset} in ${queue} while the listener of offset ${prefix} had not succeeded`,
    );
  }

  /** Offsets of this broker's queues may run ahead from now on (ASYNC_FLUSH after a power loss). */
  forgetBroker(broker: string): void {
    this.#lost.add(broker);
  }

  #of(group: string, queue: QueueKey): Progress {
    const key = `${group} ${queue}`;
    let progress = this.#progress.get(key);
    if (progress === undefined) {
      progress = { done: new Set(), prefix: 0 };
      this.#progress.set(key, progress);
    }
    return progress;
  }
}
