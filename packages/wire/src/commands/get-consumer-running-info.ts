/**
 * GET_CONSUMER_RUNNING_INFO (307): what one consumer is doing; the broker passes the question on to it, and its
 * answer (RocketMQ: ConsumerRunningInfo) back as it is.
 *
 *   request   consumerGroup clientId jstackEnable?
 *   body      {"mqPopTable","mqTable":{{MessageQueue}:ProcessQueueInfo},"properties":{…},"statusTable",
 *             "subscriptionSet":[SubscriptionData],"userConsumerInfo","jstack"?}
 */

import { type MessageQueue, messageQueueFromJson } from "../bodies/message-queue.ts";
import { type SubscriptionData, subscriptionDataFromJson } from "../bodies/subscription-data.ts";
import { bool, defineHeader, type HeaderValue, name, optional, string } from "../frame/header-schema.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const getConsumerRunningInfoRequestHeader = defineHeader("GetConsumerRunningInfoRequestHeader", {
  consumerGroup: name(),
  clientId: string(),
  jstackEnable: optional(bool()),
});
export type GetConsumerRunningInfoRequestHeader = HeaderValue<typeof getConsumerRunningInfoRequestHeader>;

/** What a consumer holds of one queue (RocketMQ: ProcessQueueInfo, in part). */
export interface HeldQueue {
  readonly queue: MessageQueue;
  readonly commitOffset: number;
  /** Messages pulled and not yet consumed. */
  readonly cachedMsgCount: number;
  /** Wall ms; 0: never. */
  readonly lastPullTimestamp: number;
  readonly lastConsumeTimestamp: number;
  /** Locked for consumption in order. */
  readonly locked: boolean;
}

/** What is read of a consumer's running info; the rest is for people. */
export interface ConsumerRunningInfo {
  readonly subscriptions: readonly SubscriptionData[];
  readonly queues: readonly HeldQueue[];
}

/** Throws WireError JSON_MALFORMED. */
export function parseConsumerRunningInfo(bytes: Uint8Array): ConsumerRunningInfo {
  const body = parseJsonObject(bytes, "ConsumerRunningInfo");
  return {
    subscriptions: body.objectList("subscriptionSet").map(subscriptionDataFromJson),
    queues: body.objectKeyedEntries("mqTable").map(([key, held]) => ({
      queue: messageQueueFromJson(key),
      commitOffset: held.integer("commitOffset", 0),
      cachedMsgCount: held.integer("cachedMsgCount", 0),
      lastPullTimestamp: held.integer("lastPullTimestamp", 0),
      lastConsumeTimestamp: held.integer("lastConsumeTimestamp", 0),
      locked: held.boolean("locked", false),
    })),
  };
}
