/**
 * What a group's own consumers gave up: a message is a dead letter exactly when its last attempt has failed. Attempts
 * are counted where listeners begin, so that those of members that died count too.
 */
import type { HistoryEvent } from "./history.ts";
import type { Report } from "./slot-table.ts";

interface Attempts {
  began: number;
  /** When the broker took it back for the last time allowed. */
  givenUpMs: number | undefined;
  isDead: boolean;
  /** It may be a dead letter, or come again: its member counted otherwise than the broker. */
  isUnsure: boolean;
}

export class AttemptCheck {
  readonly #report: Report;
  readonly #retries: number;
  readonly #exact: boolean;
  readonly #attempts = new Map<string, Attempts>();
  /** When it was sent back the last time. */
  readonly #sentBackMs = new Map<string, number>();

  /** `retries`: how often a message comes again before it is a dead letter; `exact`: never oftener than that. */
  constructor(report: Report, retries: number, exact: boolean) {
    this.#report = report;
    this.#retries = retries;
    this.#exact = exact;
  }

  began(id: string): void {
    this.#of(id).began++;
  }

  sentBack({ id, times, isUnsure, atMs }: Extract<HistoryEvent, { kind: "sent-back" }>): void {
    if (id !== undefined) this.#sentBackMs.set(id, atMs);
    if (id !== undefined && isUnsure === true) this.#of(id).isUnsure = true;
    if (id !== undefined && times >= this.#retries) this.#of(id).givenUpMs ??= atMs;
  }

  dead({ id, group, broker, atMs }: Extract<HistoryEvent, { kind: "dead-letter" }>): void {
    const attempts = this.#of(id);
    attempts.isDead = true;
    const { began } = attempts;
    if (began > this.#retries && !(this.#exact && began !== this.#retries + 1)) return;
    this.#report(
      "dead-letters",
      atMs,
      `${id} is a dead letter of ${group} on ${broker} after ${began} attempts, not ${this.#retries + 1}`,
    );
  }

  /** Since when it lies, or has lain, at some broker as a message of its own. */
  sentBackMs(id: string): number | undefined {
    return this.#sentBackMs.get(id);
  }

  isDead(id: string): boolean {
    return this.#attempts.get(id)?.isDead === true;
  }

  /** Whether its last attempt failed and the dead letter may be gone; `isLost` as for `end`. */
  mayBeGone(id: string, isLost: (sinceMs: number) => boolean): boolean {
    const attempts = this.#attempts.get(id);
    if (attempts?.isUnsure === true) return true;
    return attempts?.givenUpMs !== undefined && isLost(attempts.givenUpMs);
  }

  /** `isLost`: a broker may have lost or removed what it took at that time. */
  end(isLost: (sinceMs: number) => boolean): void {
    for (const [id, { givenUpMs, isDead, isUnsure }] of this.#attempts) {
      if (givenUpMs === undefined || isDead || isUnsure || isLost(givenUpMs)) continue;
      this.#report(
        "dead-letters",
        givenUpMs,
        `${id} was sent back after its last attempt and is no dead letter`,
      );
    }
  }

  #of(id: string): Attempts {
    let attempts = this.#attempts.get(id);
    if (attempts === undefined) {
      attempts = { began: 0, givenUpMs: undefined, isDead: false, isUnsure: false };
      this.#attempts.set(id, attempts);
    }
    return attempts;
  }
}
