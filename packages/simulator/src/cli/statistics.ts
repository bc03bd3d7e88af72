/** What many seeds came to, summed up and printed. */
import { RequestCode, requestCodeName, responseCodeName } from "@orbitmq/wire";
import { FAULT_KINDS } from "../faults/fault-table.ts";
import type { SimulationResult } from "../simulation.ts";

/** Requests that some handler of a NameServer, a broker or a client answers. */
const HANDLED: readonly number[] = [
  RequestCode.REGISTER_BROKER,
  RequestCode.UNREGISTER_BROKER,
  RequestCode.GET_ROUTEINFO_BY_TOPIC,
  RequestCode.GET_BROKER_CLUSTER_INFO,
  RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
  RequestCode.QUERY_DATA_VERSION,
  RequestCode.BROKER_HEARTBEAT,
  RequestCode.SEND_MESSAGE,
  RequestCode.SEND_MESSAGE_V2,
  RequestCode.SEND_BATCH_MESSAGE,
  RequestCode.PULL_MESSAGE,
  RequestCode.QUERY_CONSUMER_OFFSET,
  RequestCode.UPDATE_CONSUMER_OFFSET,
  RequestCode.CONSUMER_SEND_MSG_BACK,
  RequestCode.UPDATE_AND_CREATE_TOPIC,
  RequestCode.GET_ALL_TOPIC_CONFIG,
  RequestCode.GET_BROKER_RUNTIME_INFO,
  RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
  RequestCode.GET_MAX_OFFSET,
  RequestCode.GET_MIN_OFFSET,
  RequestCode.HEART_BEAT,
  RequestCode.UNREGISTER_CLIENT,
  RequestCode.GET_CONSUMER_LIST_BY_GROUP,
  RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
  RequestCode.GET_TOPIC_STATS_INFO,
  RequestCode.QUERY_MESSAGE,
  RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE,
  RequestCode.DELETE_EXPIRED_COMMITLOG,
  RequestCode.END_TRANSACTION,
  RequestCode.CHECK_TRANSACTION_STATE,
  RequestCode.RESUME_CHECK_HALF_MESSAGE,
];

export class Statistics {
  seeds = 0;
  failed = 0;
  events = 0;
  virtualMs = 0;
  readonly #tookMs: number[] = [];
  readonly #liveMs: number[] = [];
  readonly #counts = new Map<string, number>();
  readonly #faults = new Map<string, number>();
  readonly #requests = new Map<number, number>();
  readonly #responses = new Map<number, number>();

  /** A seed ended without a result. */
  broke(): void {
    this.seeds++;
    this.failed++;
  }

  add(result: SimulationResult, tookMs: number): void {
    this.seeds++;
    this.#tookMs.push(tookMs);
    this.#liveMs.push(result.liveMs);
    if (result.violations.length > 0) this.failed++;
    this.events += result.events;
    this.virtualMs += result.virtualMs;
    addAll(this.#counts, Object.entries(result.counts));
    addAll(this.#faults, result.faults);
    addAll(this.#requests, result.requests);
    addAll(this.#responses, result.responses);
  }

  /** One line, for while it goes on. */
  line(seconds: number): string {
    const rate = (this.seeds / seconds).toFixed(1);
    return `${this.seeds} seeds, ${rate}/s, ${this.#count("sent")} sends, ${this.failed} failed`;
  }

  /** `cpuSeconds`: what this process used; on a machine with other work it tells more than the clock. */
  report(seconds: number, cpuSeconds: number): string {
    const perSecond = (value: number) => Math.round(value / seconds).toLocaleString("en");
    const covered = FAULT_KINDS.filter((kind) => this.#faults.has(kind));
    const handled = HANDLED.filter((code) => this.#requests.has(code));
    const missing = [
      ...FAULT_KINDS.filter((kind) => !covered.includes(kind)),
      ...HANDLED.filter((code) => !handled.includes(code)).map(requestCodeName),
    ];
    return [
      `seeds      ${this.seeds} in ${seconds.toFixed(1)} s: ${(this.seeds / seconds).toFixed(1)}/s, ${(this.seeds / cpuSeconds).toFixed(1)}/s of processor time, ${this.failed} failed`,
      `one seed   ${quantiles(this.#tookMs, [0.1, 0.5, 0.9])} ms (p10, p50, p90)`,
      `live again ${quantiles(this.#liveMs, [0.5, 0.9, 0.99, 1])} ms after the faults (p50, p90, p99, max)`,
      `virtual    ${(this.virtualMs / 1000).toFixed(0)} s, ${perSecond(this.events)} events/s`,
      `messages   ${perSecond(this.#count("sent"))}/s; ${list(this.#counts)}`,
      `faults     ${covered.length} of ${FAULT_KINDS.length} kinds; ${list(this.#faults)}`,
      `requests   ${handled.length} of ${HANDLED.length} handlers; ${list(named(this.#requests, requestCodeName))}`,
      `responses  ${list(named(this.#responses, responseCodeName))}`,
      ...(missing.length > 0 ? [`not seen   ${missing.join(", ")}`] : []),
    ].join("\n");
  }

  #count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }
}

function addAll<K>(sums: Map<K, number>, values: Iterable<readonly [K, number]>): void {
  for (const [key, value] of values) sums.set(key, (sums.get(key) ?? 0) + value);
}

function quantiles(values: readonly number[], shares: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return shares.map((share) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0)).join(" / ");
}

function list(sums: ReadonlyMap<string, number>): string {
  return [...sums].map(([name, value]) => `${name} ${value}`).join(", ");
}

function named(
  sums: ReadonlyMap<number, number>,
  name: (code: number) => string | undefined,
): Map<string, number> {
  const sorted = [...sums].sort((a, b) => b[1] - a[1]);
  return new Map(sorted.map(([code, value]) => [name(code) ?? String(code), value]));
}
