/** Each member gets queues that lie next to each other (RocketMQ: AllocateMessageQueueAveragely, AVG). The default. */
import type { AllocateStrategy } from "./allocate-strategy.ts";

export const allocateAveragely: AllocateStrategy = {
  name: "AVG",
  allocate({ queues, clientIds, clientId }) {
    const index = clientIds.indexOf(clientId);
    if (index < 0) return [];
    const share = Math.floor(queues.length / clientIds.length);
    const remainder = queues.length % clientIds.length;
    const size = share + (index < remainder ? 1 : 0);
    const start = index * share + Math.min(index, remainder);
    return queues.slice(start, start + size);
  },
};
