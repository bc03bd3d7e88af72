/**
 * QUERY_SUBSCRIPTION_BY_CONSUMER (345): what a group that is online subscribes to of a topic (RocketMQ:
 * QuerySubscriptionResponseBody).
 *
 *   request   group topic
 *   body      {"group","subscriptionData"?,"topic"}
 */

import { type SubscriptionData, subscriptionDataToJson } from "../bodies/subscription-data.ts";
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";

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
