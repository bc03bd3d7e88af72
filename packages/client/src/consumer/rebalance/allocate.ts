/**
 * Which of a topic's queues belong to which client of a group (RocketMQ: AllocateMessageQueueAveragely). Every
 * client computes this alone from the same lists, so both must be in the same order everywhere: queues as
 * `compareMessageQueues`, client ids by code unit.
 */
import type { MessageQueue } from "@orbitmq/wire";

/** The contiguous share of `clientId`; empty when it is not in `clientIds`. */
export function allocateAveragely(
  queues: readonly MessageQueue[],
  clientIds: readonly string[],
  clientId: string,
): MessageQueue[] {
  const index = clientIds.indexOf(clientId);
  if (index < 0) return [];
  const share = Math.floor(queues.length / clientIds.length);
  const remainder = queues.length % clientIds.length;
  const size = share + (index < remainder ? 1 : 0);
  const start = index * share + Math.min(index, remainder);
  return queues.slice(start, start + size);
}
