/**
 * PUSH_REPLY_MESSAGE_TO_CLIENT (326): the broker hands the reply to a request to the client that waits for it
 * (RocketMQ: ReplyMessageRequestHeader).
 *
 *   request   producerGroup topic defaultTopic defaultTopicQueueNums queueId sysFlag bornTimestamp flag properties?
 *             reconsumeTimes? unitMode? bornHost storeHost storeTimestamp
 *   body      the message's body
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

export const replyMessageRequestHeader = defineHeader("ReplyMessageRequestHeader", {
  producerGroup: name(),
  topic: name(),
  defaultTopic: name(),
  defaultTopicQueueNums: int32(),
  queueId: int32(),
  sysFlag: int32(),
  bornTimestamp: int64(),
  flag: int32(),
  properties: optional(string()),
  reconsumeTimes: optional(int32()),
  unitMode: optional(bool()),
  /** `host:port` of who replied. */
  bornHost: string(),
  storeHost: string(),
  /** Wall ms. */
  storeTimestamp: int64(),
});
export type ReplyMessageRequestHeader = HeaderValue<typeof replyMessageRequestHeader>;
