/**
 * Which queues a member of a group gets (RocketMQ: AllocateMessageQueueAveragely, …AveragelyByCircle,
 * QueryAssignmentProcessor.allocate4Pop). Pure; queues and members are sorted.
 */
import type { MessageQueue } from "@orbitmq/wire";

/** What `members[index]` gets. */
export type Allocate = (
  queues: readonly MessageQueue[],
  memberCount: number,
  index: number,
) => readonly MessageQueue[];

/** Neighbouring queues for each member; the first members get one more when they do not come out even. */
export const averagely: Allocate = (queues, memberCount, index) => {
  const rest = queues.length % memberCount;
  const each = Math.floor(queues.length / memberCount);
  const start = index * each + Math.min(index, rest);
  return queues.slice(start, start + each + (index < rest ? 1 : 0));
};

/** One queue after the other, in turn. */
export const averagelyByCircle: Allocate = (queues, memberCount, index) =>
  queues.filter((_, at) => at % memberCount === index);

export const strategies: ReadonlyMap<string, Allocate> = new Map([
  ["AVG", averagely],
  ["AVG_BY_CIRCLE", averagelyByCircle],
]);

/** Any queue of the broker. */
const ANY_QUEUE = -1;

export interface PopAllocation {
  readonly queues: readonly MessageQueue[];
  readonly memberCount: number;
  readonly index: number;
  /** The queues of so many members that follow are popped, too; 0 or less, or nearly all: everybody pops all. */
  readonly popShareQueueNum: number;
}

export function allocateForPop(allocate: Allocate, asked: PopAllocation): readonly MessageQueue[] {
  const { queues, memberCount, index, popShareQueueNum } = asked;
  if (popShareQueueNum <= 0 || popShareQueueNum >= memberCount - 1) {
    const brokers = new Map(queues.map((queue) => [queue.brokerName, { ...queue, queueId: ANY_QUEUE }]));
    return [...brokers.values()];
  }
  if (memberCount > queues.length) return [queues[index % queues.length]!];
  const found: MessageQueue[] = [];
  for (let next = 0; next <= popShareQueueNum; next++) {
    found.push(...allocate(queues, memberCount, (index + next) % memberCount));
  }
  return found;
}
