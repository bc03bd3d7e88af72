/**
 * What a producer remembers of brokers that were slow or failed, so that other brokers get its messages for a while
 * (RocketMQ: MQFaultStrategy, LatencyFaultToleranceImpl). Pure; times are monotonic ms.
 *
 *   available     nothing is known against the broker, or its time is over
 *   unavailable   for as long as the table says of the last latency; a failure counts as 10 s
 *   unreachable   it failed, and was not heard of since; it may be available again all the same
 */

/** A latency of so many ms or more … */
const LATENCY_MAX_MS = [50, 100, 550, 1_800, 3_000, 5_000, 15_000] as const;
/** … makes a broker unavailable for so many. */
const NOT_AVAILABLE_MS = [0, 0, 2_000, 5_000, 6_000, 10_000, 30_000] as const;
/** A failure counts as a latency of this. */
const FAILURE_LATENCY_MS = 10_000;

export interface LatencyTables {
  readonly latencyMaxMs: readonly number[];
  readonly notAvailableMs: readonly number[];
}

export const latencyTables: LatencyTables = {
  latencyMaxMs: LATENCY_MAX_MS,
  notAvailableMs: NOT_AVAILABLE_MS,
};

interface Fault {
  availableFromMs: number;
  reachable: boolean;
  /** When the detector looks at it next. */
  checkMs: number;
}

export class FaultTable {
  readonly #nowMs: () => number;
  readonly #tables: LatencyTables;
  readonly #faults = new Map<string, Fault>();

  constructor(nowMs: () => number, tables: LatencyTables = latencyTables) {
    this.#nowMs = nowMs;
    this.#tables = tables;
  }

  /** How a send to this broker ended. `failed`: without a usable answer. */
  update(brokerName: string, latencyMs: number, failed: boolean, reachable: boolean): void {
    const fault = this.#faults.get(brokerName) ?? { availableFromMs: 0, reachable, checkMs: 0 };
    const durationMs = this.#notAvailableMs(failed ? FAILURE_LATENCY_MS : latencyMs);
    if (durationMs > 0) fault.availableFromMs = Math.max(fault.availableFromMs, this.#nowMs() + durationMs);
    fault.reachable = reachable;
    this.#faults.set(brokerName, fault);
  }

  isAvailable(brokerName: string): boolean {
    const fault = this.#faults.get(brokerName);
    return fault === undefined || this.#nowMs() >= fault.availableFromMs;
  }

  isReachable(brokerName: string): boolean {
    return this.#faults.get(brokerName)?.reachable ?? true;
  }

  /** Brokers that something is known of. */
  get size(): number {
    return this.#faults.size;
  }

  /** Brokers to be looked at now; each comes again after `intervalMs`. */
  due(intervalMs: number): string[] {
    const nowMs = this.#nowMs();
    const names: string[] = [];
    for (const [name, fault] of this.#faults) {
      if (nowMs < fault.checkMs) continue;
      fault.checkMs = nowMs + intervalMs;
      names.push(name);
    }
    return names;
  }

  /** The broker answered. */
  answered(brokerName: string): void {
    const fault = this.#faults.get(brokerName);
    if (fault !== undefined) fault.reachable = true;
  }

  /** Nobody knows the broker any more. */
  forget(brokerName: string): void {
    this.#faults.delete(brokerName);
  }

  #notAvailableMs(latencyMs: number): number {
    const { latencyMaxMs, notAvailableMs } = this.#tables;
    for (let i = latencyMaxMs.length - 1; i >= 0; i--) {
      if (latencyMs >= latencyMaxMs[i]!) return notAvailableMs[i]!;
    }
    return 0;
  }
}
