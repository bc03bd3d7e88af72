/**
 * The clock of a server started with `clock: "manual"`: joins the time that stands still with the traffic that does
 * not, so that `advance` moves on only when everything that was set off has come to rest.
 *
 * At rest: nothing between two watched ends is on its way, nothing waits for the end of a turn, and for
 * {@link QUIET_TURNS} turns of the event loop nothing has happened; the turns are for promises of the application and
 * for clients that do not share this clock.
 */
import type { Clock, Host, Network, Timers } from "@orbitmq/host";
import { ManualTime } from "./manual-time.ts";
import { Traffic } from "./watched-network.ts";

const QUIET_TURNS = 4;
/** Turns after which what is still on its way is left alone: it must be waiting for time to pass. */
const BUSY_TURNS_MAX = 100_000;

export class ManualClock {
  readonly #host: Host;
  readonly #time: ManualTime;
  readonly #traffic = new Traffic();
  /** Each advance begins when the one before is over. */
  #last: Promise<void> = Promise.resolve();

  /** The wall clock begins where that of `host` is. */
  constructor(host: Host) {
    this.#host = host;
    this.#time = new ManualTime(host.clock.wallMs(), host.timers);
  }

  get clock(): Clock {
    return this.#time.clock;
  }

  get timers(): Timers {
    return this.#time.timers;
  }

  /** `network` with what is on its way counted. */
  watch(network: Network): Network {
    return this.#traffic.watch(network);
  }

  /** The host with this clock. */
  get host(): Host {
    return { ...this.#host, clock: this.clock, timers: this.timers, network: this.watch(this.#host.network) };
  }

  /** See `ManualOrbitMQ.advance`. */
  advance(ms: number): Promise<void> {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`advance takes milliseconds from 0, not ${ms}`);
    const run = this.#last.then(() => this.#advance(ms));
    const over = () => {};
    this.#last = run.then(over, over);
    return run;
  }

  async #advance(ms: number): Promise<void> {
    const time = this.#time;
    // What the caller did just before has promises to follow and requests to send.
    for (let turns = 0; turns < QUIET_TURNS; turns++) await this.#turn();
    await this.#settle();
    const untilMs = time.clock.monotonicMs() + ms;
    for (;;) {
      const dueMs = time.nextDueMs;
      if (dueMs !== undefined && dueMs <= untilMs) time.fireNext();
      else if (time.clock.monotonicMs() < untilMs) time.moveTo(untilMs);
      else return;
      await this.#settle();
    }
  }

  async #settle(): Promise<void> {
    let seen = this.#activity;
    // Most timers only look whether there is something to do: one turn then shows that nothing came of it.
    let quietTurns = this.#isBusy ? QUIET_TURNS : 1;
    for (let quiet = 0, turns = 0; quiet < quietTurns && turns < BUSY_TURNS_MAX; turns++) {
      await this.#turn();
      const activity = this.#activity;
      if (activity === seen && !this.#isBusy) quiet++;
      else {
        quiet = 0;
        quietTurns = QUIET_TURNS;
      }
      seen = activity;
    }
  }

  get #activity(): number {
    return this.#time.activity + this.#traffic.activity;
  }

  get #isBusy(): boolean {
    return this.#time.busy || this.#traffic.busy;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#host.timers.afterTurn(resolve));
  }
}
