/**
 * GET_SUBSCRIPTIONGROUP_CONFIG (352): one consumer group of a broker, or SUBSCRIPTION_GROUP_NOT_EXIST (26).
 *
 *   request   group
 *   body      SubscriptionGroupConfig
 */
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";

export const getSubscriptionGroupConfigRequestHeader = defineHeader(
  "GetSubscriptionGroupConfigRequestHeader",
  { group: name() },
);
export type GetSubscriptionGroupConfigRequestHeader = HeaderValue<
  typeof getSubscriptionGroupConfigRequestHeader
>;
