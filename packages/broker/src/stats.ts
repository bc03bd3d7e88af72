/**
 * What a broker counts, and the rates made of it (RocketMQ: StoreStatsService, BrokerStats). Counters are plain
 * numbers; a sample is taken ten seconds after something moved, so that an idle broker has no timer running.
 */
import type { Clock, TimerHandle, Timers } from "@orbitmq/host";

const SAMPLE_INTERVAL_MS = 10_000;
/** Ten minutes. */
const SAMPLES_MAX = 61;

interface Sample {
  readonly atMs: number;
  readonly put: number;
  readonly found: number;
  readonly missed: number;
  readonly transferred: number;
}

export class BrokerStats {
  /** Messages appended, refused, and the bytes of the records appended (RocketMQ counts the whole record). */
  messagesPut = 0;
  putFailed = 0;
  putBytes = 0;
  /** Pulls that found something, that found nothing, and the messages handed out. */
  getFound = 0;
  getMissed = 0;
  messagesGot = 0;
  /** Messages consumers sent back, and those of them, and of clients' own resends, that went to a dead-letter topic. */
  sentBack = 0;
  sentToDlq = 0;
  readonly startedWallMs: number;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #samples: Sample[] = [];
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
    this.startedWallMs = clock.wallMs();
    this.#samples.push(this.#now());
  }

  put(messages: number, bytes: number): void {
    this.messagesPut += messages;
    this.putBytes += bytes;
    this.#arm();
  }

  got(messages: number): void {
    if (messages > 0) {
      this.getFound++;
      this.messagesGot += messages;
    } else this.getMissed++;
    this.#arm();
  }

  /** Rates over the last 10, 60 and 600 seconds, as RocketMQ prints them: three numbers, blanks between. */
  rates(): {
    readonly putTps: string;
    readonly getFoundTps: string;
    readonly getMissTps: string;
    readonly getTotalTps: string;
    readonly getTransferredTps: string;
  } {
    const now = this.#now();
    const windows = [10_000, 60_000, 600_000].map((windowMs) => this.#before(now.atMs - windowMs));
    const rate = (count: (sample: Sample) => number): string =>
      windows
        .map((then) => {
          const seconds = (now.atMs - then.atMs) / 1_000;
          return seconds <= 0 ? 0 : (count(now) - count(then)) / seconds;
        })
        .join(" ");
    return {
      putTps: rate((sample) => sample.put),
      getFoundTps: rate((sample) => sample.found),
      getMissTps: rate((sample) => sample.missed),
      getTotalTps: rate((sample) => sample.found + sample.missed),
      getTransferredTps: rate((sample) => sample.transferred),
    };
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The newest sample at or before `atMs`, else the oldest. */
  #before(atMs: number): Sample {
    let best = this.#samples[0]!;
    for (const sample of this.#samples) if (sample.atMs <= atMs) best = sample;
    return best;
  }

  #arm(): void {
    this.#timer ??= this.#timers.after(SAMPLE_INTERVAL_MS, () => {
      this.#timer = undefined;
      this.#samples.push(this.#now());
      if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
    });
  }

  #now(): Sample {
    return {
      atMs: this.#clock.monotonicMs(),
      put: this.messagesPut,
      found: this.getFound,
      missed: this.getMissed,
      transferred: this.messagesGot,
    };
  }
}
