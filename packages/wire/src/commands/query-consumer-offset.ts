/**
 * QUERY_CONSUMER_OFFSET (14): how far a group has consumed one queue.
 *
 *   request   consumerGroup topic queueId setZeroIfNotFound?
 *   response  offset                 or QUERY_NOT_FOUND (22) when the group has no offset there
 */
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
} from "../frame/header-schema.ts";

export const queryConsumerOffsetRequestHeader = defineHeader("QueryConsumerOffsetRequestHeader", {
  consumerGroup: name(),
  topic: name(),
  queueId: int32(),
  /** Absent means true. */
  setZeroIfNotFound: optional(bool()),
});
export type QueryConsumerOffsetRequestHeader = HeaderValue<typeof queryConsumerOffsetRequestHeader>;

export const queryConsumerOffsetResponseHeader = defineHeader("QueryConsumerOffsetResponseHeader", {
  offset: int64(),
});
export type QueryConsumerOffsetResponseHeader = HeaderValue<typeof queryConsumerOffsetResponseHeader>;
