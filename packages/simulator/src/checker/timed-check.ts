/**
 * Messages for a time. A broker goes by its own wall clock, which steps: a message is early when that clock has at no
 * moment since it was sent shown the time it is for. For one that is to be delivered after a delay that is the earliest
 * its broker can have taken: whatever its clock showed while the send was under way, and the delay.
 */
import { brokerOf, type HistoryEvent } from "./history.ts";
import type { Report } from "./slot-table.ts";

interface Timed {
  readonly sentMs: number;
  readonly delayMs: number;
  readonly deliverAtMs: number | undefined;
  /** Where and when it was acknowledged to wait. */
  broker: string | undefined;
  acknowledgedMs: number | undefined;
  recall: "asked" | "taken" | "refused" | "unknown" | undefined;
  seenBy: string | undefined;
  /** The broker it was seen at first. */
  cameFrom: string | undefined;
}

interface Step {
  readonly atMs: number;
  /** The sum of all steps up to this one. */
  readonly aheadMs: number;
}

export class TimedCheck {
  readonly #report: Report;
  readonly #wallStartMs: number;
  readonly #isLossy: (broker: string) => boolean;
  readonly #timed = new Map<string, Timed>();
  readonly #steps = new Map<string, Step[]>();
  /** Broker → when its process ended the last time. */
  readonly #endedMs = new Map<string, number>();

  /**
   * `wallStartMs`: what all wall clocks show at the beginning; `isLossy`: the broker has lost what was in memory only,
   * recalls that it had taken, too.
   */
  constructor(report: Report, wallStartMs: number, isLossy: (broker: string) => boolean) {
    this.#report = report;
    this.#isLossy = isLossy;
    this.#wallStartMs = wallStartMs;
  }

  sent({ id, atMs, time }: Extract<HistoryEvent, { kind: "send" }>): void {
    if (time === undefined) return;
    this.#timed.set(id, {
      sentMs: atMs,
      ...time,
      broker: undefined,
      acknowledgedMs: undefined,
      recall: undefined,
      seenBy: undefined,
      cameFrom: undefined,
    });
  }

  acknowledged({ id, broker, atMs }: Extract<HistoryEvent, { kind: "timer-acknowledged" }>): void {
    const timed = this.#timed.get(id);
    if (timed === undefined) return;
    timed.broker = broker;
    timed.acknowledgedMs = atMs;
  }

  recalled({ id, step, atMs }: Extract<HistoryEvent, { kind: "recall" }>): void {
    const timed = this.#timed.get(id);
    if (timed === undefined) return;
    timed.recall = step;
    if (step === "taken" && timed.seenBy !== undefined) {
      this.#report("recalled", atMs, `${id} is recalled, and ${timed.seenBy} had seen it before`);
    }
  }

  stepped({ broker, byMs, atMs }: Extract<HistoryEvent, { kind: "clock-stepped" }>): void {
    const steps = this.#steps.get(broker) ?? [];
    steps.push({ atMs, aheadMs: (steps.at(-1)?.aheadMs ?? 0) + byMs });
    this.#steps.set(broker, steps);
  }

  brokerEnded(broker: string, atMs: number): void {
    this.#endedMs.set(broker, atMs);
  }

  seen({ id = "", by, queue, offset, atMs }: Extract<HistoryEvent, { kind: "seen" }>): void {
    const timed = this.#timed.get(id);
    if (timed === undefined) return;
    const where = `${by}, at ${queue} offset ${offset}`;
    timed.seenBy ??= where;
    const broker = brokerOf(queue);
    timed.cameFrom ??= broker;
    if (timed.recall === "taken" && !this.#isLossy(broker)) {
      this.#report("recalled", atMs, `${id} was recalled and is seen by ${where}`);
    }
    // A message that was sent back may come again from another broker, whose clock shows another time.
    if (broker !== timed.cameFrom) return;
    const { sentMs, delayMs, acknowledgedMs = atMs } = timed;
    const dueMs = timed.deliverAtMs ?? Math.min(...this.#shown(broker, sentMs, acknowledgedMs)) + delayMs;
    const shownMs = Math.max(...this.#shown(broker, sentMs, atMs));
    if (shownMs >= dueMs) return;
    this.#report("not-early", atMs, `${id} was seen by ${where}, ${dueMs - shownMs} ms before its time`);
  }

  /** `isLost`: the broker may have lost or removed what it had at that time. */
  end(copiesOf: (id: string) => number, isLost: (broker: string, sinceMs: number) => boolean): void {
    for (const [id, { sentMs, broker, acknowledgedMs, recall }] of this.#timed) {
      if (broker === undefined || acknowledgedMs === undefined || isLost(broker, sentMs)) continue;
      const copies = copiesOf(id);
      if (copies === 0 && (recall === undefined || recall === "refused")) {
        this.#report("timed-kept", acknowledgedMs, `${id} waited on ${broker} for its time and never came`);
      }
      if (copies > 1 && (this.#endedMs.get(broker) ?? -1) < sentMs) {
        this.#report(
          "timed-kept",
          acknowledgedMs,
          `${id} came ${copies} times from ${broker}, which was there all the time`,
        );
      }
    }
  }

  /** The earliest and the latest the broker's wall clock shows between the two moments are among these. */
  #shown(broker: string, fromMs: number, toMs: number): number[] {
    const steps = this.#steps.get(broker) ?? [];
    const shown = (atMs: number, step: Step | undefined) =>
      this.#wallStartMs + Math.floor(atMs) + (step?.aheadMs ?? 0);
    const times = [
      shown(
        fromMs,
        steps.findLast(({ atMs }) => atMs <= fromMs),
      ),
    ];
    steps.forEach((step, index) => {
      if (step.atMs < fromMs || step.atMs > toMs) return;
      times.push(shown(step.atMs, steps[index - 1]), shown(step.atMs, step));
    });
    times.push(
      shown(
        toMs,
        steps.findLast(({ atMs }) => atMs <= toMs),
      ),
    );
    return times;
  }
}
