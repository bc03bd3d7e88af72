/**
 * The queues that are this consumer's alone, as their brokers have granted (RocketMQ: RebalanceImpl.lock,
 * ConsumeMessageOrderlyService.lockMQPeriodically).
 *
 *   free ──asked (41), granted──▶ held ──granted again, every 20 s──▶ held
 *                                  ├──given back (42)──▶ free
 *                                  ╰──refused, or not granted for 30 s──▶ lost
 *
 * A broker keeps a lock for 60 s after it was asked; the time here runs from before the question, so that a queue is
 * lost here long before somebody else can have it.
 */
import type { TimerHandle } from "@orbitmq/host";
import {
  encodeLockBatchBody,
  type MessageQueue,
  parseLockBatchResponse,
  type RemotingCommand,
  RequestCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { queueKey } from "../../connection/topic-queues.ts";
import { fromUnknown } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import { consumerDefaults } from "../consumer-options.ts";

interface HeldLock {
  readonly queue: MessageQueue;
  /** Monotonic. */
  untilMs: number;
}

export class QueueLocks {
  readonly #instance: ClientInstance;
  readonly #group: string;
  readonly #onLost: (queue: MessageQueue) => void;
  readonly #held = new Map<string, HeldLock>();
  #timer: TimerHandle | undefined;

  constructor(instance: ClientInstance, group: string, onLost: (queue: MessageQueue) => void) {
    this.#instance = instance;
    this.#group = group;
    this.#onLost = onLost;
  }

  start(): void {
    const { lockIntervalMs } = consumerDefaults;
    this.#timer = this.#instance.host.timers.every(lockIntervalMs, () => {
      this.#instance.background("renewing queue locks", () => this.#renew());
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  isHeld(queue: MessageQueue): boolean {
    const lock = this.#held.get(queueKey(queue));
    return lock !== undefined && lock.untilMs > this.#nowMs();
  }

  /** Whether the queue is ours now. Rejects when its broker cannot be asked. */
  async lock(queue: MessageQueue): Promise<boolean> {
    const untilMs = this.#newUntilMs();
    const granted = await this.#ask(queue.brokerName, [queue]);
    if (!granted.has(queueKey(queue))) return false;
    this.#held.set(queueKey(queue), { queue, untilMs });
    return true;
  }

  /** Nobody works on these queues any more. Never rejects: a lock that is not given back ends by itself. */
  async unlock(queues: readonly MessageQueue[]): Promise<void> {
    const byBroker = new Map<string, MessageQueue[]>();
    for (const queue of queues) {
      if (!this.#held.delete(queueKey(queue))) continue;
      const list = byBroker.get(queue.brokerName) ?? [];
      byBroker.set(queue.brokerName, list);
      list.push(queue);
    }
    await Promise.all(
      [...byBroker].map(([brokerName, list]) =>
        this.#request(RequestCode.UNLOCK_BATCH_MQ, brokerName, list, () => undefined).catch(
          (error: unknown) => this.#note("giving queue locks back", brokerName, error),
        ),
      ),
    );
  }

  unlockAll(): Promise<void> {
    return this.unlock([...this.#held.values()].map(({ queue }) => queue));
  }

  /** Its time ran out without an answer. */
  expired(queue: MessageQueue): void {
    this.#held.delete(queueKey(queue));
    this.#instance.host.timers.afterTurn(() => this.#onLost(queue));
  }

  async #renew(): Promise<void> {
    const byBroker = new Map<string, HeldLock[]>();
    for (const lock of this.#held.values()) {
      const list = byBroker.get(lock.queue.brokerName) ?? [];
      byBroker.set(lock.queue.brokerName, list);
      list.push(lock);
    }
    await Promise.all([...byBroker].map(([brokerName, locks]) => this.#renewAt(brokerName, locks)));
  }

  async #renewAt(brokerName: string, locks: readonly HeldLock[]): Promise<void> {
    const untilMs = this.#newUntilMs();
    let granted: ReadonlySet<string> | undefined;
    try {
      granted = await this.#ask(
        brokerName,
        locks.map(({ queue }) => queue),
      );
    } catch (error) {
      this.#note("renewing queue locks", brokerName, error);
    }
    for (const lock of locks) {
      const key = queueKey(lock.queue);
      if (this.#held.get(key) !== lock) continue;
      if (granted?.has(key) === true) lock.untilMs = untilMs;
      else if (granted !== undefined || lock.untilMs <= this.#nowMs()) {
        this.#held.delete(key);
        this.#onLost(lock.queue);
      }
    }
  }

  async #ask(brokerName: string, queues: readonly MessageQueue[]): Promise<ReadonlySet<string>> {
    const granted = await this.#request(RequestCode.LOCK_BATCH_MQ, brokerName, queues, ({ body }) =>
      parseLockBatchResponse(body),
    );
    return new Set(granted.map(queueKey));
  }

  async #request<T>(
    code: number,
    brokerName: string,
    queues: readonly MessageQueue[],
    read: (response: RemotingCommand) => T,
  ): Promise<T> {
    const { routes, clientId } = this.#instance;
    const address = routes.masterOf(brokerName);
    if (address === undefined) {
      throw new OrbitError("BROKER_UNKNOWN", `no address of ${brokerName}'s master is known`, {
        broker: brokerName,
      });
    }
    const body = encodeLockBatchBody({ consumerGroup: this.#group, clientId, queues });
    return this.#instance.ask(address, { code, body: [body] }, read, consumerDefaults.lockTimeoutMs);
  }

  #newUntilMs(): number {
    return this.#nowMs() + consumerDefaults.lockLiveMs;
  }

  #nowMs(): number {
    return this.#instance.host.clock.monotonicMs();
  }

  #note(what: string, brokerName: string, error: unknown): void {
    const { code, message } = fromUnknown(error);
    if (code === "SHUT_DOWN") return;
    this.#instance.logger.warn({ brokerName, code }, `${what}: ${message}`);
  }
}
