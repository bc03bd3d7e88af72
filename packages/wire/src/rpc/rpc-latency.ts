/**
 * How long requests take from their arrival to their answer, by request code, response code and whether they waited
 * (RocketMQ: RemotingMetricsManager). Counting one is a look into two small arrays; names are made by who reads.
 *
 * Times are ticks: sixteenths of a millisecond of monotonic time as an int32, which wraps after 37 hours; a difference
 * of two is right as long as no request takes so long.
 */
import { type Clock, Histogram } from "@orbitmq/host";
import { RequestCode } from "../tables/request-code.ts";

/** Upper ends, ms. */
export const RPC_LATENCY_BOUNDS_MS: readonly number[] = [1, 3, 5, 7, 10, 100, 1_000, 2_000, 3_000];

const TICKS_PER_MS = 16;
/** Beyond, codes that RocketMQ does not have are counted together as {@link OTHER_CODE}. */
const CODES_MAX = 1_024;
const highCodes: ReadonlySet<number> = new Set(
  Object.values(RequestCode).filter((code) => code >= CODES_MAX),
);
/** Of one request code. */
const OUTCOMES_MAX = 256;
/** A code that RocketMQ does not have either. */
export const OTHER_CODE = -1;

export type RpcResult = "success" | "oneway" | "write_channel_failed";

export interface RpcOutcome {
  readonly requestCode: number;
  readonly responseCode: number;
  readonly isLongPolling: boolean;
  readonly result: RpcResult;
  /** ms. */
  readonly latency: Histogram;
}

interface OfCode {
  /** Answered with success at once: nearly all. */
  plain: RpcOutcome | undefined;
  readonly others: RpcOutcome[];
}

/** Now, as a tick. */
export function latencyTick(clock: Clock): number {
  return (clock.monotonicMs() * TICKS_PER_MS) | 0;
}

export class RpcLatency {
  readonly #byCode: (OfCode | undefined)[] = [];
  /** And {@link OTHER_CODE}. */
  readonly #byHighCode = new Map<number, OfCode>();

  /** A request that arrived at tick `since` was answered at tick `at`. */
  record(
    requestCode: number,
    responseCode: number,
    isLongPolling: boolean,
    result: RpcResult,
    since: number,
    at: number,
  ): void {
    const ms = Math.max(0, (at - since) | 0) / TICKS_PER_MS;
    const isLow = requestCode >= 0 && requestCode < CODES_MAX;
    const code = isLow || highCodes.has(requestCode) ? requestCode : OTHER_CODE;
    let ofCode = isLow ? this.#byCode[code] : this.#byHighCode.get(code);
    if (ofCode === undefined) {
      ofCode = { plain: undefined, others: [] };
      if (isLow) this.#byCode[code] = ofCode;
      else this.#byHighCode.set(code, ofCode);
    }
    if (responseCode === 0 && !isLongPolling && result === "success") {
      ofCode.plain ??= newOutcome(code, 0, false, "success");
      ofCode.plain.latency.record(ms);
      return;
    }
    const { others } = ofCode;
    for (let i = 0; i < others.length; i++) {
      const each = others[i]!;
      if (
        each.responseCode === responseCode &&
        each.isLongPolling === isLongPolling &&
        each.result === result
      ) {
        each.latency.record(ms);
        return;
      }
    }
    if (others.length >= OUTCOMES_MAX) return;
    const outcome = newOutcome(code, responseCode, isLongPolling, result);
    outcome.latency.record(ms);
    others.push(outcome);
  }

  *outcomes(): Generator<RpcOutcome> {
    for (const ofCode of [...this.#byCode, ...this.#byHighCode.values()]) {
      if (ofCode?.plain !== undefined) yield ofCode.plain;
      if (ofCode !== undefined) yield* ofCode.others;
    }
  }
}

function newOutcome(
  requestCode: number,
  responseCode: number,
  isLongPolling: boolean,
  result: RpcResult,
): RpcOutcome {
  return { requestCode, responseCode, isLongPolling, result, latency: new Histogram(RPC_LATENCY_BOUNDS_MS) };
}
