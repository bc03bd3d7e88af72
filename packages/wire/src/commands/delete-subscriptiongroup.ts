/**
 * DELETE_SUBSCRIPTIONGROUP (207): forgets a consumer group's configuration, and its offsets if wanted.
 *
 *   request   groupName cleanOffset?
 *   response  nothing
 */
import { bool, defineHeader, type HeaderValue, name, optional } from "../header-schema.ts";

export const deleteSubscriptionGroupRequestHeader = defineHeader("DeleteSubscriptionGroupRequestHeader", {
  groupName: name(),
  /** Absent means false. */
  cleanOffset: optional(bool()),
});
export type DeleteSubscriptionGroupRequestHeader = HeaderValue<typeof deleteSubscriptionGroupRequestHeader>;
