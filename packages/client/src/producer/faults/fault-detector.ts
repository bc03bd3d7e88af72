/**
 * Asks brokers that failed whether they answer again (RocketMQ: the detector of LatencyFaultToleranceImpl): every 3 s,
 * each broker at most once in `intervalMs`, with GET_MAX_OFFSET of queue 0 of a topic it has. Runs only while something
 * is known against a broker.
 */
import type { TimerHandle } from "@orbitmq/host";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { maxOffset } from "../../consumer/offsets/queue-offsets.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import type { FaultTable } from "./fault-table.ts";

const TICK_MS = 3_000;

export interface DetectorOptions {
  /** Least time between two questions to one broker. */
  readonly intervalMs: number;
  /** How long a broker may take to answer. */
  readonly timeoutMs: number;
}

export class FaultDetector {
  readonly #instance: ClientInstance;
  readonly #faults: FaultTable;
  readonly #options: DetectorOptions;
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(instance: ClientInstance, faults: FaultTable, options: DetectorOptions) {
    this.#instance = instance;
    this.#faults = faults;
    this.#options = options;
  }

  /** Something is known against a broker. */
  wake(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    this.#timer = this.#instance.host.timers.after(TICK_MS, () => {
      this.#timer = undefined;
      this.#instance.background("looking for brokers that failed", () => this.#round());
      if (this.#faults.size > 0) this.wake();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #round(): Promise<void> {
    await Promise.all(this.#faults.due(this.#options.intervalMs).map((name) => this.#look(name)));
  }

  async #look(brokerName: string): Promise<void> {
    const { routes, logger } = this.#instance;
    if (routes.masterOf(brokerName) === undefined) {
      this.#faults.forget(brokerName);
      return;
    }
    const topic = routes.topicAt(brokerName);
    if (topic === undefined) return;
    try {
      await maxOffset(this.#instance, { topic, brokerName, queueId: 0 }, this.#options.timeoutMs);
    } catch (error) {
      logger.debug({ brokerName, code: fromUnknown(error).code }, "a broker that failed does not answer yet");
      return;
    }
    if (!this.#faults.isReachable(brokerName))
      logger.info({ brokerName }, "a broker that failed answers again");
    this.#faults.answered(brokerName);
  }
}
