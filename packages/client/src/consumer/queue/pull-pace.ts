/**
 * How soon a queue is pulled again. After messages at once. After an empty answer at once, too, because the
 * broker held the request for a while; only a broker that answers emptily without holding is asked more slowly.
 * After a failure in 1 s (RocketMQ: pullTimeDelayMillsWhenException).
 */
import type { Clock } from "@orbitmq/host";
import { consumerDefaults } from "../consumer-options.ts";

/** An empty answer sooner than this was not held. */
const HELD_MS = 10;
/** So many of them in a row are taken for chance. */
const UNHELD_MAX = 8;
const UNHELD_PAUSE_MS = 100;

export class PullPace {
  readonly #clock: Clock;
  #askedMs = 0;
  #unheld = 0;
  #failures = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Failures since the last answer. */
  get failures(): number {
    return this.#failures;
  }

  asked(): void {
    this.#askedMs = this.#clock.monotonicMs();
  }

  /** Each returns the pause before the next pull, in ms. */
  afterMessages(): number {
    this.#failures = 0;
    this.#unheld = 0;
    return 0;
  }

  /** `progressed`: the broker moved on over messages that do not match. */
  afterNothing(progressed: boolean): number {
    this.#failures = 0;
    const held = this.#clock.monotonicMs() - this.#askedMs >= HELD_MS;
    this.#unheld = held || progressed ? 0 : this.#unheld + 1;
    return this.#unheld > UNHELD_MAX ? UNHELD_PAUSE_MS : 0;
  }

  afterFailure(): number {
    this.#failures += 1;
    return consumerDefaults.pullRetryDelayMs;
  }
}
