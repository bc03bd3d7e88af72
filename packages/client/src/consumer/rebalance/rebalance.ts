/** The step of rebalance: what a client had and what it should have → what it drops and what it takes. Pure. */
import { compareMessageQueues, type MessageQueue } from "@orbitmq/wire";
import { queueKey } from "../../connection/topic-queues.ts";
import type { AllocateStrategy } from "./allocate-strategy.ts";

export interface RebalanceInput {
  readonly strategy: AllocateStrategy;
  /** Every readable queue of one topic, in any order. */
  readonly queues: readonly MessageQueue[];
  /** Every client of the group, in any order. */
  readonly clientIds: readonly string[];
  readonly clientId: string;
  /** The topic's queues this client holds now. */
  readonly held: readonly MessageQueue[];
}

export interface RebalanceStep {
  readonly drop: readonly MessageQueue[];
  readonly take: readonly MessageQueue[];
}

/** Throws what the strategy throws. */
export function rebalance({ strategy, queues, clientIds, clientId, held }: RebalanceInput): RebalanceStep {
  const ids = [...new Set(clientIds)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const sorted = [...queues].sort(compareMessageQueues);
  return stepTo(strategy.allocate({ queues: sorted, clientIds: ids, clientId }), held);
}

/** From the queues held to those owned. */
export function stepTo(owned: readonly MessageQueue[], held: readonly MessageQueue[]): RebalanceStep {
  const ownedKeys = new Set(owned.map(queueKey));
  const heldKeys = new Set(held.map(queueKey));
  return {
    drop: held.filter((queue) => !ownedKeys.has(queueKey(queue))),
    take: owned.filter((queue) => !heldKeys.has(queueKey(queue))),
  };
}
