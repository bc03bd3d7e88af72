/**
 * CONSUME_MESSAGE_DIRECTLY (309): has one consumer consume one message; the broker passes the message on to it,
 * and its answer (RocketMQ: ConsumeMessageDirectlyResult) back as it is.
 *
 *   request   consumerGroup clientId? msgId? brokerName? topic? topicSysFlag? groupSysFlag?
 *   body      to the client: the message's record; back: the client's answer
 */
import { defineHeader, type HeaderValue, int32, name, optional, string } from "../frame/header-schema.ts";

export const consumeMessageDirectlyRequestHeader = defineHeader("ConsumeMessageDirectlyResultRequestHeader", {
  consumerGroup: name(),
  clientId: optional(string()),
  /** The offset message id. */
  msgId: optional(string()),
  brokerName: optional(name()),
  topic: optional(name()),
  topicSysFlag: optional(int32()),
  groupSysFlag: optional(int32()),
});
export type ConsumeMessageDirectlyRequestHeader = HeaderValue<typeof consumeMessageDirectlyRequestHeader>;
