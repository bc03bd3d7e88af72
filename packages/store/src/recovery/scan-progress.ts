/** How far a long reading of the CommitLog has come: for who asks, and every few seconds in the log. */
import type { Clock, Logger } from "@orbitmq/host";

const INTERVAL_MS = 5_000;

export class ScanProgress {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #from: number;
  readonly #to: number;
  #dueMs: number;
  /** What is done now, and how far it has come. */
  latest: { readonly phase: string; readonly percent: number } | undefined;

  /** Positions from `from` to `to` are read, about. */
  constructor(clock: Clock, logger: Logger, from: number, to: number) {
    this.#clock = clock;
    this.#logger = logger;
    this.#from = from;
    this.#to = to;
    this.#dueMs = clock.monotonicMs() + INTERVAL_MS;
  }

  at(what: string, position: number): void {
    const part = Math.floor((100 * (position - this.#from)) / Math.max(1, this.#to - this.#from));
    const percent = Math.max(0, Math.min(100, part));
    if (this.latest?.phase !== what || this.latest.percent !== percent)
      this.latest = { phase: what, percent };
    const now = this.#clock.monotonicMs();
    if (now < this.#dueMs) return;
    this.#dueMs = now + INTERVAL_MS;
    this.#logger.info({ position, to: this.#to, percent }, what);
  }
}
