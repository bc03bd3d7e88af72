/**
 * QUERY_SUBSCRIPTION_BY_CONSUMER (345): what a group that is online subscribes to of a topic (RocketMQ:
 * QuerySubscriptionResponseBody).
 *
 *   request   group topic
 *   body      {"group","subscriptionData"?,"topic"}
 */

import {
  type SubscriptionData,
  subscriptionDataFromJson,
  subscriptionDataToJson,
} from "../bodies/subscription-data.ts";
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const querySubscriptionByConsumerRequestHeader = defineHeader(
  "QuerySubscriptionByConsumerRequestHeader",
  { group: name(), topic: name() },
);
export type QuerySubscriptionByConsumerRequestHeader = HeaderValue<
  typeof querySubscriptionByConsumerRequestHeader
>;

export function encodeConsumerSubscription(
  group: string,
  topic: string,
  subscription: SubscriptionData | undefined,
): Uint8Array {
  const subscriptionData = subscription === undefined ? undefined : subscriptionDataToJson(subscription);
  return encodeFastjson({ group, subscriptionData, topic });
}

/** `undefined` when the group does not subscribe to the topic. Throws WireError JSON_MALFORMED. */
export function parseConsumerSubscription(bytes: Uint8Array): SubscriptionData | undefined {
  const data = parseJsonObject(bytes, "QuerySubscriptionResponseBody").optionalObject("subscriptionData");
  return data && subscriptionDataFromJson(data);
}
