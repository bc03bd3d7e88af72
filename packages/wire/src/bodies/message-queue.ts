/** One queue of a topic on one broker (RocketMQ: MessageQueue), and its order and JSON shape. */
import type { JsonObject } from "../json/json-value.ts";

export interface MessageQueue {
  readonly topic: string;
  readonly brokerName: string;
  readonly queueId: number;
}

/** RocketMQ's order, which rebalance depends on: topic, broker name, queue id as a number. */
export function compareMessageQueues(a: MessageQueue, b: MessageQueue): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  if (a.brokerName !== b.brokerName) return a.brokerName < b.brokerName ? -1 : 1;
  return a.queueId - b.queueId;
}

export function messageQueueFromJson(json: JsonObject): MessageQueue {
  return {
    topic: json.string("topic"),
    brokerName: json.string("brokerName"),
    queueId: json.integer("queueId"),
  };
}
