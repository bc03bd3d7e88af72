/**
 * GET_ALL_SUBSCRIPTIONGROUP_CONFIG (201): all consumer groups a broker knows, in pages when asked so (RocketMQ:
 * SubscriptionGroupWrapper).
 *
 *   request   groupSeq? dataVersion? maxGroupNum?       all absent: everything at once
 *   response  totalGroupNum?
 *   body      {"dataVersion","forbiddenTable":{"<group>":{"<topic>":int}},"subscriptionGroupTable":{"<group>":
 *             SubscriptionGroupConfig}}
 */
import { defineHeader, type HeaderValue, int32, optional, string } from "../frame/header-schema.ts";

export const getAllSubscriptionGroupRequestHeader = defineHeader("GetAllSubscriptionGroupRequestHeader", {
  groupSeq: optional(int32()),
  /** A DataVersion as JSON. */
  dataVersion: optional(string()),
  maxGroupNum: optional(int32()),
});
export type GetAllSubscriptionGroupRequestHeader = HeaderValue<typeof getAllSubscriptionGroupRequestHeader>;

export const getAllSubscriptionGroupResponseHeader = defineHeader("GetAllSubscriptionGroupResponseHeader", {
  totalGroupNum: optional(int32()),
});
export type GetAllSubscriptionGroupResponseHeader = HeaderValue<typeof getAllSubscriptionGroupResponseHeader>;
