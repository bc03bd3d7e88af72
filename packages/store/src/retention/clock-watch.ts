/**
 * Notices when the wall clock leaps forward, by watching it against the monotonic one. A clock that is wrong by
 * days makes every message look expired, and what is deleted is gone; so for an hour after a leap nothing is
 * deleted for its age. A clock that is set back in that time is simply right again; one that stays is believed.
 *
 *   steady → doubtful     the wall clock is more than a minute ahead of where it should be
 *   doubtful → steady     it came back, or an hour has passed
 *
 * A leap backwards only makes messages look younger, and is taken as it is.
 */
import type { Clock } from "@orbitmq/host";

const TOLERANCE_MS = 60_000;
const DOUBT_MS = 3_600_000;

export class ClockWatch {
  readonly #clock: Clock;
  /** Wall minus monotonic, as it was last believed. */
  #believedMs: number;
  /** Monotonic time since when the wall clock is ahead. */
  #doubtfulSince: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#believedMs = clock.wallMs() - clock.monotonicMs();
  }

  /** How far ahead the clock is of what is believed, in doubt; 0 when it is steady. To be called regularly. */
  look(): number {
    const monotonicMs = this.#clock.monotonicMs();
    const offsetMs = this.#clock.wallMs() - monotonicMs;
    const aheadMs = offsetMs - this.#believedMs;
    if (aheadMs <= TOLERANCE_MS) {
      this.#believedMs = offsetMs;
      this.#doubtfulSince = undefined;
      return 0;
    }
    this.#doubtfulSince ??= monotonicMs;
    if (monotonicMs - this.#doubtfulSince < DOUBT_MS) return aheadMs;
    this.#believedMs = offsetMs;
    this.#doubtfulSince = undefined;
    return 0;
  }
}
