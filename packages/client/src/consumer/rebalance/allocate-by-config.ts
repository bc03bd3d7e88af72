/** The application says which queues this member has (RocketMQ: AllocateMessageQueueByConfig, CONFIG). */

import { queueKey } from "../../connection/topic-queues.ts";
import type { MessageQueue } from "../../message/message.ts";
import type { AllocateStrategy } from "./allocate-strategy.ts";

/** Queues of other topics, and those the topic does not have (any more), are passed over. */
export function allocateByConfig(configured: readonly MessageQueue[]): AllocateStrategy {
  const keys = new Set(configured.map(queueKey));
  return {
    name: "CONFIG",
    allocate({ queues, clientIds, clientId }) {
      return clientIds.includes(clientId) ? queues.filter((queue) => keys.has(queueKey(queue))) : [];
    },
  };
}
