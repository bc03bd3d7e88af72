/**
 * Counters by RocketMQ's names and keys, over the last minute, hour and day (RocketMQ: BrokerStatsManager,
 * StatsItem). Counting is adding two numbers; samples are taken every ten seconds of what has moved, by one timer
 * that runs only while something does.
 *
 *   TOPIC_PUT_NUMS, TOPIC_PUT_SIZE             <topic>
 *   GROUP_GET_NUMS, GROUP_GET_SIZE             <topic>@<group>
 *   SNDBCK_PUT_NUMS                            <topic>@<group>        sent back by consumers
 *   DLQ_PUT_NUMS                               <topic>@<group>        of those, to the dead letters
 *   BROKER_PUT_NUMS, BROKER_GET_NUMS           <cluster>
 */
import type { Clock, TimerHandle, Timers } from "@orbitmq/host";
import type { BrokerStatsData, BrokerStatsItem } from "@orbitmq/wire";

export const STATS_NAMES = [
  "TOPIC_PUT_NUMS",
  "TOPIC_PUT_SIZE",
  "GROUP_GET_NUMS",
  "GROUP_GET_SIZE",
  "SNDBCK_PUT_NUMS",
  "DLQ_PUT_NUMS",
  "BROKER_PUT_NUMS",
  "BROKER_GET_NUMS",
] as const;
export type StatsName = (typeof STATS_NAMES)[number];

/** Counters of one name at most; further keys are not counted. */
const KEYS_MAX = 20_000;
const SAMPLE_MS = 10_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** How far apart samples are, and how many are kept. */
const SERIES = [
  { everyMs: SAMPLE_MS, count: 7 },
  { everyMs: 600_000, count: 7 },
  { everyMs: HOUR_MS, count: 25 },
] as const;

interface Sample {
  readonly atMs: number;
  readonly sum: number;
  readonly times: number;
}

export class Counter {
  sum = 0;
  times = 0;
  moved = false;
  readonly #series: Sample[][];

  constructor(nowMs: number) {
    this.#series = SERIES.map(() => [{ atMs: nowMs, sum: 0, times: 0 }]);
  }

  sample(atMs: number): void {
    SERIES.forEach(({ everyMs, count }, index) => {
      const series = this.#series[index]!;
      if (atMs - series.at(-1)!.atMs < everyMs) return;
      series.push({ atMs, sum: this.sum, times: this.times });
      if (series.length > count) series.shift();
    });
  }

  over(windowMs: number, series: number, nowMs: number): BrokerStatsItem {
    const samples = this.#series[series]!;
    let base = samples[0]!;
    for (const sample of samples) if (sample.atMs <= nowMs - windowMs) base = sample;
    const sum = this.sum - base.sum;
    const times = this.times - base.times;
    const seconds = (nowMs - base.atMs) / 1_000;
    return { sum, tps: seconds <= 0 ? 0 : sum / seconds, avgpt: times === 0 ? 0 : sum / times };
  }
}

export class NamedStats {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #counters = new Map<string, Map<string, Counter>>(STATS_NAMES.map((name) => [name, new Map()]));
  #moved: Counter[] = [];
  #timer: TimerHandle | undefined;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** `value` for `times` events. */
  add(name: StatsName, key: string, value: number, times = 1): void {
    const counter = this.counter(name, key);
    if (counter !== undefined) this.count(counter, value, times);
  }

  /** The counter of a name and key, for who counts often; `undefined` when there are too many. */
  counter(name: StatsName, key: string): Counter | undefined {
    const counters = this.#counters.get(name)!;
    let counter = counters.get(key);
    if (counter === undefined && counters.size < KEYS_MAX) {
      counter = new Counter(this.#clock.monotonicMs());
      counters.set(key, counter);
    }
    return counter;
  }

  count(counter: Counter, value: number, times = 1): void {
    counter.sum += value;
    counter.times += times;
    if (counter.moved) return;
    counter.moved = true;
    this.#moved.push(counter);
    this.#timer ??= this.#timers.after(SAMPLE_MS, () => this.#sample());
  }

  /** Every counter of a name, by its key. */
  all(name: StatsName): Iterable<[key: string, counter: Counter]> {
    return this.#counters.get(name)!;
  }

  /** `undefined` for what was never counted. */
  data(name: string, key: string): BrokerStatsData | undefined {
    const counter = this.#counters.get(name)?.get(key);
    if (counter === undefined) return undefined;
    const nowMs = this.#clock.monotonicMs();
    return {
      statsMinute: counter.over(MINUTE_MS, 0, nowMs),
      statsHour: counter.over(HOUR_MS, 1, nowMs),
      statsDay: counter.over(DAY_MS, 2, nowMs),
    };
  }

  /** Per second over the last minute. */
  tps(name: StatsName, key: string): number {
    const counter = this.#counters.get(name)?.get(key);
    return counter === undefined ? 0 : counter.over(MINUTE_MS, 0, this.#clock.monotonicMs()).tps;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #sample(): void {
    this.#timer = undefined;
    const moved = this.#moved;
    this.#moved = [];
    const nowMs = this.#clock.monotonicMs();
    for (const counter of moved) {
      counter.moved = false;
      counter.sample(nowMs);
    }
  }
}
