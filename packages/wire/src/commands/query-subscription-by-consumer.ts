/**
 * QUERY_SUBSCRIPTION_BY_CONSUMER (345): what a group that is online subscribes to of a topic (RocketMQ:
 * QuerySubscriptionResponseBody).
 *
 *   request   group topic
 *   body      {"group","subscriptionData"?,"topic"}
 */
import { encodeFastjson } from "../fastjson.ts";
import { defineHeader, type HeaderValue, name } from "../header-schema.ts";
import { type SubscriptionData, subscriptionDataToJson } from "../subscription-data.ts";

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
