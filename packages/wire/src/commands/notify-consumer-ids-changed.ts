/**
 * NOTIFY_CONSUMER_IDS_CHANGED (40): the broker tells a consumer, one-way, that its group has changed; the
 * consumer rebalances at once.
 *
 *   request   consumerGroup
 */
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";

export const notifyConsumerIdsChangedRequestHeader = defineHeader("NotifyConsumerIdsChangedRequestHeader", {
  consumerGroup: name(),
});
export type NotifyConsumerIdsChangedRequestHeader = HeaderValue<typeof notifyConsumerIdsChangedRequestHeader>;
