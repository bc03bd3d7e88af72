/** The built-in queue selectors (RocketMQ: SelectMessageQueueByHash, SelectMessageQueueByRandom). */
import { javaHash } from "@orbitmq/wire";
import type { QueueSelector } from "./producer-options.ts";

/**
 * Messages with the same key go to the same queue, as long as the topic's queues stay the same; the same one as
 * Java's `SelectMessageQueueByHash` chooses for the same string.
 */
export function selectByHash(key: string): QueueSelector {
  const hash = javaHash(key);
  return (queues) => queues[Math.abs(hash % queues.length)];
}

/** Any queue. */
export const selectByRandom: QueueSelector = (queues, _message, random) => queues[random.int(queues.length)];
