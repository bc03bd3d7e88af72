/**
 * CHANGE_MESSAGE_INVISIBLETIME (200053): a popped message comes again at another time, counted from now: later for
 * who needs longer, sooner for who failed.
 *
 *   request   consumerGroup topic queueId extraInfo offset invisibleTime bname?
 *             topic, queueId, offset: where the message lies; extraInfo: its handle (see receipt-handle)
 *   response  popTime invisibleTime reviveQid          with them the consumer builds the handle that counts from now
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

export const changeInvisibleTimeRequestHeader = defineHeader("ChangeInvisibleTimeRequestHeader", {
  consumerGroup: name(),
  topic: name(),
  queueId: int32(),
  extraInfo: string(),
  offset: int64(),
  /** ms. */
  invisibleTime: int64(),
  brokerName: optional(renamed("bname", name())),
});
export type ChangeInvisibleTimeRequestHeader = HeaderValue<typeof changeInvisibleTimeRequestHeader>;

export const changeInvisibleTimeResponseHeader = defineHeader("ChangeInvisibleTimeResponseHeader", {
  /** Wall ms by the broker's clock. */
  popTime: int64(),
  /** ms. */
  invisibleTime: int64(),
  reviveQid: int32(),
});
export type ChangeInvisibleTimeResponseHeader = HeaderValue<typeof changeInvisibleTimeResponseHeader>;
