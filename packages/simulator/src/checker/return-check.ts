/** Messages that were sent back: retried as often as was agreed, then dead letters; none is forgotten on the way. */
import type { HistoryEvent } from "./history.ts";
import type { Report } from "./slot-table.ts";

interface Returned {
  readonly id: string;
  readonly broker: string;
  acknowledgedMs: number | undefined;
  /** `times` of the retries that were seen. */
  readonly retried: Set<number>;
  isDead: boolean;
}

export class ReturnCheck {
  readonly #report: Report;
  readonly #retries: number;
  readonly #returned = new Map<string, Returned>();

  constructor(report: Report, retries: number) {
    this.#report = report;
    this.#retries = retries;
  }

  take({ step, id, broker, times, atMs }: Extract<HistoryEvent, { kind: "returned" }>): void {
    const key = `${id} ${broker}`;
    let returned = this.#returned.get(key);
    if (returned === undefined) {
      if (step !== "asked") this.#wrong(atMs, `${id} is ${step} on ${broker} and was never sent back`);
      returned = { id, broker, acknowledgedMs: undefined, retried: new Set(), isDead: false };
      this.#returned.set(key, returned);
    }
    if (step === "acknowledged") returned.acknowledgedMs ??= atMs;
    else if (step === "retried") this.#retried(returned, times, atMs);
    else if (step === "dead") this.#dead(returned, times, atMs);
  }

  /** `isLost`: the broker may have lost what it had not flushed, or removed what it had at that time. */
  end(isLost: (broker: string, sinceMs: number) => boolean): void {
    for (const { id, broker, acknowledgedMs, isDead } of this.#returned.values()) {
      if (acknowledgedMs === undefined || isDead || isLost(broker, acknowledgedMs)) continue;
      this.#wrong(acknowledgedMs, `${id} was sent back to ${broker} and is no dead letter`);
    }
  }

  #retried({ id, broker, retried }: Returned, times: number, atMs: number): void {
    if (times < 1 || times > this.#retries) {
      this.#wrong(atMs, `${id} on ${broker} is tried again the ${times}th time of ${this.#retries}`);
    }
    retried.add(times);
  }

  #dead(returned: Returned, times: number, atMs: number): void {
    const { id, broker, retried } = returned;
    returned.isDead = true;
    if (times !== this.#retries + 1 || retried.size < this.#retries) {
      this.#wrong(
        atMs,
        `${id} on ${broker} is a dead letter (${times}) after ${retried.size} of ${this.#retries} retries`,
      );
    }
  }

  #wrong(atMs: number, detail: string): void {
    this.#report("dead-letters", atMs, detail);
  }
}
