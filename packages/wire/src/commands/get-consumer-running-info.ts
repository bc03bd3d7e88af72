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
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";

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
  /** Offsets of the first and the last of them; 0 when there are none. */
  readonly cachedMsgMinOffset: number;
  readonly cachedMsgMaxOffset: number;
  /** Wall ms; 0: never. */
  readonly lastPullTimestamp: number;
  readonly lastConsumeTimestamp: number;
  /** Locked for consumption in order. */
  readonly locked: boolean;
}

/** How a consumer fares with one topic over the last minute (RocketMQ: ConsumeStatus). Times in ms, rates a second. */
export interface TopicConsumeStatus {
  readonly pullRT: number;
  readonly pullTPS: number;
  readonly consumeRT: number;
  readonly consumeOKTPS: number;
  readonly consumeFailedTPS: number;
  readonly consumeFailedMsgs: number;
}

/** What is read of a consumer's running info. */
export interface ConsumerRunningInfo {
  /** PROP_CONSUME_TYPE, PROP_CLIENT_VERSION, PROP_CONSUMER_START_TIMESTAMP, … as the client gives them. */
  readonly properties: ReadonlyMap<string, string>;
  readonly subscriptions: readonly SubscriptionData[];
  readonly queues: readonly HeldQueue[];
  /** By topic. */
  readonly statuses: ReadonlyMap<string, TopicConsumeStatus>;
  /** The stacks of a Java client's threads; "" when it gave none. */
  readonly jstack: string;
}

/** Throws WireError JSON_MALFORMED. */
export function parseConsumerRunningInfo(bytes: Uint8Array): ConsumerRunningInfo {
  const body = parseJsonObject(bytes, "ConsumerRunningInfo");
  return {
    properties: textsOf(body.object("properties")),
    subscriptions: body.objectList("subscriptionSet").map(subscriptionDataFromJson),
    queues: body.objectKeyedEntries("mqTable").map(([key, held]) => ({
      queue: messageQueueFromJson(key),
      commitOffset: held.integer("commitOffset", 0),
      cachedMsgCount: held.integer("cachedMsgCount", 0),
      cachedMsgMinOffset: held.integer("cachedMsgMinOffset", 0),
      cachedMsgMaxOffset: held.integer("cachedMsgMaxOffset", 0),
      lastPullTimestamp: held.integer("lastPullTimestamp", 0),
      lastConsumeTimestamp: held.integer("lastConsumeTimestamp", 0),
      locked: held.boolean("locked", false),
    })),
    statuses: new Map(
      body
        .object("statusTable")
        .objects()
        .map(([topic, status]) => [topic, statusFromJson(status)]),
    ),
    jstack: body.optionalString("jstack") ?? "",
  };
}

/** Clients give some properties as numbers or truth values. */
function textsOf(json: JsonObject): Map<string, string> {
  return new Map(json.keys().map((key) => [key, String(json.raw(key) ?? "")]));
}

function statusFromJson(json: JsonObject): TopicConsumeStatus {
  const number = (name: keyof TopicConsumeStatus): number => json.optionalNumber(name) ?? 0;
  return {
    pullRT: number("pullRT"),
    pullTPS: number("pullTPS"),
    consumeRT: number("consumeRT"),
    consumeOKTPS: number("consumeOKTPS"),
    consumeFailedTPS: number("consumeFailedTPS"),
    consumeFailedMsgs: number("consumeFailedMsgs"),
  };
}
