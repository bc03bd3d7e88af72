/**
 * One at a time redrives or deletes a group's dead letters on a broker: the lock that keeps ordered queues to one
 * consumer (41), which brokers of RocketMQ have as well. A run that is killed holds it for 60 s, in which whatever it
 * had on its way has arrived or is lost.
 */
import type { MessageQueue } from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { QueueLocks } from "../../consumer/rebalance/queue-locks.ts";
import { OrbitError } from "../../errors/errors.ts";
import { pause } from "./queue-pages.ts";

const TOOL_GROUP = "ORBITMQ_TOOLS";
const ASK_AGAIN_MS = 1_000;
/** A broker holds a lock for 60 s, by its clock. */
const WAIT_MS_MAX = 70_000;

export class ToolLock {
  readonly #instance: ClientInstance;
  readonly #locks: QueueLocks;
  readonly #queue: MessageQueue;

  constructor(instance: ClientInstance, topic: string, brokerName: string) {
    this.#instance = instance;
    this.#queue = { topic, brokerName, queueId: 0 };
    this.#locks = new QueueLocks(instance, TOOL_GROUP, () => {});
  }

  /** Resolves to whether it is ours; false when `signal` aborted. Rejects with OVERLOADED when somebody else keeps it. */
  async take(signal: AbortSignal | undefined, onWaiting: () => void): Promise<boolean> {
    const { clock } = this.#instance.host;
    const deadlineMs = clock.monotonicMs() + WAIT_MS_MAX;
    for (let told = false; !(await this.#locks.lock(this.#queue)); ) {
      if (!told) onWaiting();
      told = true;
      if (clock.monotonicMs() > deadlineMs) {
        const { topic, brokerName } = this.#queue;
        throw new OrbitError("OVERLOADED", `somebody else is working on ${topic} of ${brokerName}`, {
          broker: brokerName,
        });
      }
      await pause(this.#instance, ASK_AGAIN_MS);
      if (signal?.aborted === true) return false;
    }
    this.#locks.start();
    return true;
  }

  get isHeld(): boolean {
    return this.#locks.isHeld(this.#queue);
  }

  /** Given back, or kept until the broker forgets it: as long as something may still arrive. */
  async leave(giveBack: boolean): Promise<void> {
    this.#locks.stop();
    if (giveBack) await this.#locks.unlockAll();
  }
}
