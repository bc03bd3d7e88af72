/** Waiting with an end. */
import type { Timers } from "@orbitmq/host";

/** Resolves when all of `work` has settled, or after `timeoutMs`. Never rejects, leaves no timer behind. */
export function within(timers: Timers, timeoutMs: number, work: readonly Promise<unknown>[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      resolve();
    };
    const timer = timers.after(timeoutMs, done);
    Promise.allSettled(work).then(done, done);
  });
}
