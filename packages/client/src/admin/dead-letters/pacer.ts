/** Lets through so many a second, from the first on: nothing is made up for that was not used. */
import type { Host, TimerHandle } from "@orbitmq/host";

export class Pacer {
  readonly #host: Host;
  readonly #intervalMs: number;
  #nextMs: number;

  /** `rate`: a second; `undefined`: as fast as can be. */
  constructor(host: Host, rate: number | undefined) {
    this.#host = host;
    this.#intervalMs = rate === undefined ? 0 : 1_000 / rate;
    this.#nextMs = host.clock.monotonicMs();
  }

  /** Resolves when the next one is due, or the signal has aborted. */
  async due(signal: AbortSignal | undefined): Promise<void> {
    const { clock, timers } = this.#host;
    const nowMs = clock.monotonicMs();
    const atMs = Math.max(this.#nextMs, nowMs);
    this.#nextMs = atMs + this.#intervalMs;
    if (atMs <= nowMs || signal?.aborted === true) return;
    await new Promise<void>((resolve) => {
      let timer: TimerHandle | undefined;
      const done = () => {
        timer?.cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      timer = timers.after(atMs - nowMs, done);
      signal?.addEventListener("abort", done);
    });
  }
}
