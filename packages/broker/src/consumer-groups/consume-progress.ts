/**
 * How far a group has consumed a topic (RocketMQ: OffsetWrapper): the numbers behind 208, 303 and 317. Store times
 * come from disk for old messages, so the answer comes by callback, once.
 */
import type { MessageStore } from "@orbitmq/store";
import type { ConsumeOffset, TopicConfig } from "@orbitmq/wire";
import type { ConsumerGroups } from "./consumer-groups.ts";
import type { OffsetRegistry } from "./offset-registry.ts";

export interface ConsumeProgressNeeds {
  readonly store: MessageStore;
  readonly offsets: OffsetRegistry;
  readonly brokerName: string;
}

/** One entry per read queue of the topic, by queue id. */
export function consumeProgress(
  { store, offsets, brokerName }: ConsumeProgressNeeds,
  group: string,
  config: TopicConfig,
  done: (progress: readonly ConsumeOffset[]) => void,
): void {
  const topic = config.topicName;
  const progress: ConsumeOffset[] = [];
  let missing = config.readQueueNums + 1;
  const countDown = (): void => {
    if (--missing === 0) done(progress);
  };
  for (let queueId = 0; queueId < config.readQueueNums; queueId++) {
    const consumerOffset = offsets.get(group, topic, queueId) ?? 0;
    const entry: ConsumeOffset = {
      queue: { topic, brokerName, queueId },
      brokerOffset: store.readableEnd(topic, queueId),
      consumerOffset,
      pullOffset: consumerOffset,
      lastTimestamp: 0,
    };
    progress.push(entry);
    if (consumerOffset === 0) {
      countDown();
      continue;
    }
    store.storeTimestampAt(topic, queueId, consumerOffset - 1, (timestampMs) => {
      progress[queueId] = { ...entry, lastTimestamp: Math.max(0, timestampMs) };
      countDown();
    });
  }
  // A topic without queues, and one whose times all came at once, are answered here.
  countDown();
}

/** Whether a topic counts as the group's: it subscribes to it, or is not online. */
export function isConsumed(consumers: ConsumerGroups, group: string, topic: string): boolean {
  const online = consumers.get(group);
  return online === undefined || online.subscriptions.size === 0 || online.subscriptions.has(topic);
}

/** Calls `each` for every item in turn, one after the other has called its `next`, then `done`. */
export function inTurn<T>(
  items: readonly T[],
  each: (item: T, next: () => void) => void,
  done: () => void,
): void {
  let index = 0;
  let isRunning = false;
  let isCalled = false;
  // Answers that come at once must not pile up on the stack.
  const run = (): void => {
    isCalled = true;
    if (isRunning) return;
    isRunning = true;
    while (isCalled) {
      isCalled = false;
      const item = items[index++];
      if (index > items.length) {
        done();
        break;
      }
      each(item as T, run);
    }
    isRunning = false;
  };
  run();
}
