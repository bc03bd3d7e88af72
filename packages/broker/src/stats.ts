/**
 * What a broker counts, and the rates made of it (RocketMQ: StoreStatsService, BrokerStats). Counters are plain
 * numbers; a sample is taken ten seconds after something moved, so that an idle broker has no timer running.
 */
import type { Clock, TimerHandle, Timers } from "@orbitmq/host";
import { Counted, type MessageKind } from "./metrics/counted.ts";
import { type Counter, NamedStats } from "./stats/named-stats.ts";

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

const NOTHING_COUNTED: readonly Counter[] = [];

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
  /** Times a member of a group turned out to subscribe to something else than others of it. */
  differingSubscriptions = 0;
  readonly startedWallMs: number;
  readonly named: NamedStats;
  /** For metrics. */
  readonly counted = new Counted();
  readonly #cluster: string;
  /** Per topic TOPIC_PUT_NUMS, TOPIC_PUT_SIZE and BROKER_PUT_NUMS: one lookup per send. */
  readonly #putCounters = new Map<string, readonly Counter[]>();
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #samples: Sample[] = [];
  #timer: TimerHandle | undefined;

  /** `cluster` is the key of the broker's own counters. */
  constructor(clock: Clock, timers: Timers, cluster: string) {
    this.#cluster = cluster;
    this.named = new NamedStats(clock, timers);
    this.#clock = clock;
    this.#timers = timers;
    this.startedWallMs = clock.wallMs();
    this.#samples.push(this.#now());
  }

  /** Messages appended to `topic`; with `kind` those that RocketMQ's metrics count as coming in. */
  put(messages: number, bytes: number, topic: string, kind?: MessageKind): void {
    if (kind !== undefined) this.counted.incoming(topic, kind, messages, bytes);
    this.messagesPut += messages;
    this.putBytes += bytes;
    const counters = this.#putCounters.get(topic) ?? this.#newPutCounters(topic);
    for (let i = 0; i < counters.length; i++) this.named.count(counters[i]!, i === 1 ? bytes : messages);
    this.#arm();
  }

  #newPutCounters(topic: string): readonly Counter[] {
    const counters = [
      this.named.counter("TOPIC_PUT_NUMS", topic),
      this.named.counter("TOPIC_PUT_SIZE", topic),
      this.named.counter("BROKER_PUT_NUMS", this.#cluster),
    ].filter((counter) => counter !== undefined);
    if (counters.length < 3) return NOTHING_COUNTED;
    this.#putCounters.set(topic, counters);
    return counters;
  }

  /** A pull that found messages. */
  got(messages: number, bytes: number, topic: string, group: string): void {
    this.getFound++;
    this.messagesGot += messages;
    const key = `${topic}@${group}`;
    this.named.add("GROUP_GET_NUMS", key, messages);
    this.named.add("GROUP_GET_SIZE", key, bytes);
    this.named.add("BROKER_GET_NUMS", this.#cluster, messages);
    this.#arm();
  }

  /** A pull that found nothing. */
  missed(): void {
    this.getMissed++;
    this.#arm();
  }

  /** A consumer sent a message of `topic` back. */
  returned(topic: string, group: string, isDeadLetter: boolean): void {
    const key = `${topic}@${group}`;
    this.sentBack++;
    this.named.add("SNDBCK_PUT_NUMS", key, 1);
    if (isDeadLetter) this.deadLetter(topic, group);
  }

  /** A message of `topic` went to the group's dead letters. */
  deadLetter(topic: string, group: string): void {
    this.sentToDlq++;
    this.named.add("DLQ_PUT_NUMS", `${topic}@${group}`, 1);
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
    this.named.stop();
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
