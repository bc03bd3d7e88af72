/**
 * CONSUMER_SEND_MSG_BACK (36): a consumer could not consume a message and wants it again later, through the
 * group's retry topic.
 *
 *   request   offset group delayLevel originMsgId? originTopic? unitMode? maxReconsumeTimes? (bname?) failure?
 *   response  nothing
 */
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
  string,
} from "../frame/header-schema.ts";

export const consumerSendMsgBackRequestHeader = defineHeader("ConsumerSendMsgBackRequestHeader", {
  /** The message's physical offset. */
  offset: int64(),
  group: name(),
  /** 0: the broker chooses; negative: to the dead-letter queue at once; else the level. */
  delayLevel: int32(),
  originMsgId: optional(string()),
  originTopic: optional(name()),
  unitMode: optional(bool()),
  /** The consumer's own limit; counts more than the group's. */
  maxReconsumeTimes: optional(int32()),
  /** OrbitMQ's own: what the listener said. Kept with the message (OrbitProperty.FAILURE); brokers of RocketMQ ignore it. */
  failure: optional(string()),
});
export type ConsumerSendMsgBackRequestHeader = HeaderValue<typeof consumerSendMsgBackRequestHeader>;
