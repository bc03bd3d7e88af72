/**
 * GET_CONSUMER_RUNNING_INFO (307): what one consumer is doing; the broker passes the question on to it, and its
 * answer (RocketMQ: ConsumerRunningInfo) back as it is.
 *
 *   request   consumerGroup clientId jstackEnable?
 *   body      the client's
 */
import { bool, defineHeader, type HeaderValue, name, optional, string } from "../header-schema.ts";

export const getConsumerRunningInfoRequestHeader = defineHeader("GetConsumerRunningInfoRequestHeader", {
  consumerGroup: name(),
  clientId: string(),
  jstackEnable: optional(bool()),
});
export type GetConsumerRunningInfoRequestHeader = HeaderValue<typeof getConsumerRunningInfoRequestHeader>;
