/**
 * A topic as a producer sees it: its writable queues and whose turn it is (RocketMQ: TopicPublishInfo). Turns go
 * round from a random start; a second attempt prefers a queue of another broker than the first.
 */
import type { Random } from "@orbitmq/host";
import type { MessageQueue, TopicRouteData } from "@orbitmq/wire";
import { publishQueues } from "../connection/topic-queues.ts";
import type { FaultTable } from "./faults/fault-table.ts";

export class TopicPublishInfo {
  readonly queues: readonly MessageQueue[];
  /** The topic does not exist yet: a send to one of these queues makes the broker create it. */
  readonly isNewTopic: boolean;
  readonly #brokers: ReadonlySet<string>;
  #turn: number;

  constructor(topic: string, route: TopicRouteData, isNewTopic: boolean, random: Random) {
    this.queues = publishQueues(topic, route);
    this.isNewTopic = isNewTopic;
    this.#brokers = new Set(this.queues.map((queue) => queue.brokerName));
    this.#turn = random.int(Math.max(this.queues.length, 1));
  }

  /**
   * The next queue, of another broker than `lastBroker` when there is one; `undefined` without queues. With `faults`: of
   * an available broker, else of a reachable one, in both cases not of `lastBroker`, else any.
   */
  next(lastBroker: string | undefined, faults?: FaultTable): MessageQueue | undefined {
    const { queues } = this;
    if (faults !== undefined) {
      const isOther = ({ brokerName }: MessageQueue) => brokerName !== lastBroker;
      return (
        this.#first((queue) => faults.isAvailable(queue.brokerName) && isOther(queue)) ??
        this.#first((queue) => faults.isReachable(queue.brokerName) && isOther(queue)) ??
        queues[this.#take()]
      );
    }
    if (lastBroker !== undefined && this.hasOtherBroker(lastBroker)) {
      for (let tries = 0; tries < queues.length; tries++) {
        const queue = queues[this.#take()];
        if (queue?.brokerName !== lastBroker) return queue;
      }
    }
    return queues[this.#take()];
  }

  hasOtherBroker(brokerName: string): boolean {
    return this.#brokers.size > 1 || (this.#brokers.size === 1 && !this.#brokers.has(brokerName));
  }

  #first(fits: (queue: MessageQueue) => boolean): MessageQueue | undefined {
    for (let tries = 0; tries < this.queues.length; tries++) {
      const queue = this.queues[this.#take()]!;
      if (fits(queue)) return queue;
    }
    return undefined;
  }

  #take(): number {
    const turn = this.#turn;
    this.#turn = turn + 1 >= this.queues.length ? 0 : turn + 1;
    return turn;
  }
}
