/**
 * UPDATE_CONSUMER_OFFSET (15): a group tells how far it has consumed one queue. Clients send it one-way.
 *
 *   request   consumerGroup topic queueId commitOffset
 *   response  nothing
 */
import { defineHeader, type HeaderValue, int32, int64, name } from "../frame/header-schema.ts";

export const updateConsumerOffsetRequestHeader = defineHeader("UpdateConsumerOffsetRequestHeader", {
  consumerGroup: name(),
  topic: name(),
  queueId: int32(),
  commitOffset: int64(),
});
export type UpdateConsumerOffsetRequestHeader = HeaderValue<typeof updateConsumerOffsetRequestHeader>;
