/**
 * Failed messages waiting to be consumed again. The delay is the same for all, so they come due in the order
 * they were put in and one timer serves them.
 */
import type { Host, TimerHandle } from "@orbitmq/host";

export class RetryLater<T> {
  readonly #host: Host;
  readonly #delayMs: number;
  readonly #onDue: (item: T) => void;
  #waiting: { item: T; dueMs: number }[] = [];
  #timer: TimerHandle | undefined;

  constructor(host: Host, delayMs: number, onDue: (item: T) => void) {
    this.#host = host;
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  put(item: T): void {
    this.#waiting.push({ item, dueMs: this.#host.clock.monotonicMs() + this.#delayMs });
    if (this.#timer === undefined) this.#arm(this.#delayMs);
  }

  /** Forgets everything. */
  clear(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waiting = [];
  }

  #arm(delayMs: number): void {
    this.#timer = this.#host.timers.after(delayMs, () => this.#due());
  }

  #due(): void {
    this.#timer = undefined;
    const nowMs = this.#host.clock.monotonicMs();
    const later = this.#waiting.findIndex(({ dueMs }) => dueMs > nowMs);
    const due = later < 0 ? this.#waiting : this.#waiting.slice(0, later);
    this.#waiting = later < 0 ? [] : this.#waiting.slice(later);
    const next = this.#waiting[0];
    if (next !== undefined) this.#arm(next.dueMs - nowMs);
    for (const { item } of due) this.#onDue(item);
  }
}
