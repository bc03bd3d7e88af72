/** The assignments of POP a member has in one topic: takes new ones, lets go of those that are others' now. */
import type { MessageQueue } from "@orbitmq/wire";
import { queueKey } from "../../connection/topic-queues.ts";
import { stepTo } from "../rebalance/rebalance.ts";
import type { PopQueue } from "./pop-queue.ts";

export class PopQueues {
  readonly #newQueue: (queue: MessageQueue) => PopQueue;
  readonly #queues = new Map<string, PopQueue>();
  /** Let go, with messages whose listeners still run. */
  #leaving: PopQueue[] = [];

  constructor(newQueue: (queue: MessageQueue) => PopQueue) {
    this.#newQueue = newQueue;
  }

  get all(): readonly PopQueue[] {
    return [...this.#queues.values()];
  }

  assign(queues: readonly MessageQueue[]): void {
    const held = this.all.map(({ queue }) => queue);
    const { drop, take } = stepTo(queues, held);
    this.#leaving = this.#leaving.filter(({ cached }) => cached > 0);
    for (const queue of drop) {
      const popped = this.#queues.get(queueKey(queue))!;
      this.#queues.delete(queueKey(queue));
      popped.stopPulling();
      this.#leaving.push(popped);
    }
    for (const queue of take) {
      const popped = this.#newQueue(queue);
      this.#queues.set(queueKey(queue), popped);
      popped.start();
    }
  }

  /** Pops nothing more. */
  stop(): void {
    for (const queue of this.#queues.values()) queue.stopPulling();
  }

  /** No listener runs any more, or none is waited for. */
  close(): void {
    for (const queue of [...this.#queues.values(), ...this.#leaving]) queue.close();
  }
}
