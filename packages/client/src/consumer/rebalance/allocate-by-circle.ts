/**
 * Queues are dealt out one by one, as cards (RocketMQ: AllocateMessageQueueAveragelyByCircle, AVG_BY_CIRCLE): a broker
 * that is slow is slow for all members alike.
 */
import type { AllocateStrategy } from "./allocate-strategy.ts";

export const allocateAveragelyByCircle: AllocateStrategy = {
  name: "AVG_BY_CIRCLE",
  allocate({ queues, clientIds, clientId }) {
    const index = clientIds.indexOf(clientId);
    return index < 0 ? [] : queues.filter((_, i) => i % clientIds.length === index);
  },
};
