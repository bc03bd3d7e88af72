/**
 * ACK_MESSAGE (200051): a popped message is consumed.
 *
 *   request   consumerGroup topic queueId extraInfo offset bname?
 *             topic, queueId, offset: where the message lies, which may be a retry topic; extraInfo: its handle
 *             (see receipt-handle)
 */
import {
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
  renamed,
  string,
} from "../frame/header-schema.ts";

export const ackMessageRequestHeader = defineHeader("AckMessageRequestHeader", {
  consumerGroup: name(),
  topic: name(),
  queueId: int32(),
  extraInfo: string(),
  offset: int64(),
  brokerName: optional(renamed("bname", name())),
});
export type AckMessageRequestHeader = HeaderValue<typeof ackMessageRequestHeader>;
