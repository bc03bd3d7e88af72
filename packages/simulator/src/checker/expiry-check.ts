/**
 * What retention removed, against how old it was. A broker tells by its own wall clock, which steps: a message has
 * expired when at some moment since it was sent the clock showed a time that is `reservedMs` before the one at
 * which it was removed.
 */
import { brokerOf, type HistoryEvent, mayHoldSentBack, type QueueKey } from "./history.ts";
import type { Report } from "./slot-table.ts";

interface Step {
  readonly atMs: number;
  /** The sum of all steps up to this one. */
  readonly aheadMs: number;
}

type Removed = Extract<HistoryEvent, { kind: "removed" }>;

export class ExpiryCheck {
  readonly #report: Report;
  readonly #reservedMs: number;
  readonly #steps = new Map<string, Step[]>();
  readonly #removals = new Map<QueueKey, Removed[]>();
  /** Broker → when something was removed there the last time. */
  readonly #lastMs = new Map<string, number>();
  /** When one that was sent back may have been removed the last time. */
  #sentBackMs = -1;

  constructor(report: Report, reservedMs: number) {
    this.#report = report;
    this.#reservedMs = reservedMs;
  }

  stepped({ broker, byMs, atMs }: Extract<HistoryEvent, { kind: "clock-stepped" }>): void {
    const steps = this.#steps.get(broker) ?? [{ atMs: 0, aheadMs: 0 }];
    steps.push({ atMs, aheadMs: (steps.at(-1)?.aheadMs ?? 0) + byMs });
    this.#steps.set(broker, steps);
  }

  removed(event: Removed): void {
    const removals = this.#removals.get(event.queue) ?? [];
    removals.push(event);
    this.#removals.set(event.queue, removals);
    this.#lastMs.set(brokerOf(event.queue), event.atMs);
    if (mayHoldSentBack(event.queue)) this.#sentBackMs = event.atMs;
  }

  /** Everything below this offset may be gone. */
  removedTo(queue: QueueKey): number {
    return this.#removals.get(queue)?.at(-1)?.to ?? 0;
  }

  /** Whether something a broker had taken at `sinceMs` may have been removed, wherever it was. */
  mayHaveRemoved(broker: string, sinceMs: number): boolean {
    return (this.#lastMs.get(broker) ?? -1) >= sinceMs;
  }

  /** The same, wherever it lay. */
  mayHaveRemovedSince(sinceMs: number): boolean {
    for (const lastMs of this.#lastMs.values()) if (lastMs >= sinceMs) return true;
    return false;
  }

  /** Whether a message that was sent back at `sinceMs` may have been removed, at whatever broker. */
  mayHaveRemovedSentBack(sinceMs: number): boolean {
    return this.#sentBackMs >= sinceMs;
  }

  /** A message that was sent at `sentMs` and acknowledged at this place. */
  check(id: string, queue: QueueKey, offset: number, sentMs: number): void {
    const removal = this.#removals.get(queue)?.find(({ to }) => offset < to);
    if (removal === undefined) return;
    const steps = this.#steps.get(brokerOf(queue)) ?? [];
    const aheadAt = (atMs: number) => steps.findLast((step) => step.atMs <= atMs)?.aheadMs ?? 0;
    let earliestMs = sentMs + aheadAt(sentMs);
    for (const { atMs, aheadMs } of steps) {
      if (atMs > sentMs && atMs <= removal.atMs) earliestMs = Math.min(earliestMs, atMs + aheadMs);
    }
    const ageMs = removal.atMs + aheadAt(removal.atMs) - earliestMs;
    if (ageMs >= this.#reservedMs) return;
    this.#report(
      "expired-only",
      removal.atMs,
      `${id} at ${queue} offset ${offset} was removed when it was ${Math.round(ageMs / 1000)} s old`,
    );
  }
}
