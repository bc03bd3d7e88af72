/**
 * DELETE_SUBSCRIPTIONGROUP (207): forgets a consumer group's configuration, and its offsets if wanted.
 *
 *   request   groupName cleanOffset?           4.x says removeOffset
 *   response  nothing
 */
import { bool, defineHeader, type HeaderValue, name, optional } from "../frame/header-schema.ts";

export const deleteSubscriptionGroupRequestHeader = defineHeader("DeleteSubscriptionGroupRequestHeader", {
  groupName: name(),
  /** Absent means false. */
  cleanOffset: optional(bool()),
  removeOffset: optional(bool()),
});
export type DeleteSubscriptionGroupRequestHeader = HeaderValue<typeof deleteSubscriptionGroupRequestHeader>;
