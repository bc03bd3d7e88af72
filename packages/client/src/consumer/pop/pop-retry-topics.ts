/**
 * What comes again by POP lies in a retry topic of group and topic. A group that pulls a topic, maybe after it popped it,
 * reads that one, too, or its messages would wait there for ever (RocketMQ: RebalanceImpl.updateMessageQueueAssignment).
 */
import { popRetryTopicV1 } from "@orbitmq/wire";
import type { Subscription } from "../subscription.ts";

export interface PopRetryReader {
  readonly group: string;
  newSubscription(retryTopic: string): Subscription;
  join(subscription: Subscription): void;
  leave(retryTopic: string): void;
}

export class PopRetryTopics {
  readonly #reader: PopRetryReader;
  /** By the topic they belong to. */
  readonly #read = new Map<string, Subscription>();

  constructor(reader: PopRetryReader) {
    this.#reader = reader;
  }

  get subscriptions(): readonly Subscription[] {
    return [...this.#read.values()];
  }

  /** `wanted`: the topic is pulled. */
  read(topic: string, wanted: boolean): void {
    if (this.#read.has(topic) === wanted) return;
    const retryTopic = popRetryTopicV1(topic, this.#reader.group);
    if (wanted) {
      const subscription = this.#reader.newSubscription(retryTopic);
      this.#read.set(topic, subscription);
      this.#reader.join(subscription);
    } else {
      this.#read.delete(topic);
      this.#reader.leave(retryTopic);
    }
  }
}
