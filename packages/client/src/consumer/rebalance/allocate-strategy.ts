/**
 * Which of a topic's queues belong to which member of a group (RocketMQ: AllocateMessageQueueStrategy). Every member
 * computes this alone from the same lists and by the same strategy, so all of them must use the same one: two
 * strategies in one group leave queues to nobody and give others to two.
 */
import type { MessageQueue } from "../../message/message.ts";

export interface AllocateInput {
  /** Every readable queue of one topic, ordered by topic, broker name and queue id. */
  readonly queues: readonly MessageQueue[];
  /** Every client of the group, each once, ordered by code unit. */
  readonly clientIds: readonly string[];
  /** Whose share is asked for. */
  readonly clientId: string;
}

export interface AllocateStrategy {
  /** RocketMQ's name of it, for logs. */
  readonly name: string;
  /** The share of `clientId`; empty when it is not among `clientIds`. Pure. A throw leaves everything as it is. */
  allocate(input: AllocateInput): readonly MessageQueue[];
}
