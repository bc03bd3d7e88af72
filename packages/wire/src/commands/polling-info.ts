/**
 * POLLING_INFO (200055): how many POPs wait for messages of a queue.
 *
 *   request   consumerGroup topic queueId bname?       queueId -1: those that ask for any queue
 *   response  pollingNum
 */
import { defineHeader, type HeaderValue, int32, name, optional, renamed } from "../frame/header-schema.ts";

export const pollingInfoRequestHeader = defineHeader("PollingInfoRequestHeader", {
  consumerGroup: name(),
  topic: name(),
  queueId: int32(),
  brokerName: optional(renamed("bname", name())),
});
export type PollingInfoRequestHeader = HeaderValue<typeof pollingInfoRequestHeader>;

export const pollingInfoResponseHeader = defineHeader("PollingInfoResponseHeader", { pollingNum: int32() });
export type PollingInfoResponseHeader = HeaderValue<typeof pollingInfoResponseHeader>;
