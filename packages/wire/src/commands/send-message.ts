/**
 * SEND_MESSAGE (10), SEND_MESSAGE_V2 (310) and SEND_BATCH_MESSAGE (320): a producer hands messages to a broker.
 * 310 is 10 with one-letter names; 320 has the header of 310 with `m` true and a batch body.
 *
 *   request 10    producerGroup topic defaultTopic defaultTopicQueueNums queueId sysFlag bornTimestamp flag
 *                 properties? reconsumeTimes? unitMode? maxReconsumeTimes? batch? bname?
 *   request 310   a             b     c            d                     e       f       g             h
 *                 i?          j?              k?        l?                 m?     n? (broker name)
 *   body          the message body, compressed when sysFlag says so; for a batch see batch-body
 *   response      msgId queueId queueOffset transactionId? batchUniqId? recallHandle? TRACE_ON? MSG_REGION?
 *                 durability? outcome?          (the last two are OrbitMQ's; others ignore them)
 */
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
  renamed,
  string,
} from "../frame/header-schema.ts";
import type { ExtFields } from "../frame/remoting-command.ts";
import { RequestCode } from "../tables/request-code.ts";

/** The three codes decode to one shape of object. */
const sendMessageBuilder = (v: readonly never[]) => ({
  producerGroup: v[0],
  topic: v[1],
  defaultTopic: v[2],
  defaultTopicQueueNums: v[3],
  queueId: v[4],
  sysFlag: v[5],
  bornTimestamp: v[6],
  flag: v[7],
  properties: v[8],
  reconsumeTimes: v[9],
  unitMode: v[10],
  maxReconsumeTimes: v[11],
  batch: v[12],
  brokerName: v[13],
});

export const sendMessageRequestHeader = defineHeader(
  "SendMessageRequestHeader",
  {
    producerGroup: name(),
    topic: name(),
    /** The topic a new topic is created after; TBW102 in Java clients. */
    defaultTopic: name(),
    defaultTopicQueueNums: int32(),
    /** Negative: the broker picks one. */
    queueId: int32(),
    /** MessageSysFlag bits. */
    sysFlag: int32(),
    bornTimestamp: int64(),
    flag: int32(),
    /** See message-properties. */
    properties: optional(string()),
    reconsumeTimes: optional(int32()),
    unitMode: optional(bool()),
    maxReconsumeTimes: optional(int32()),
    batch: optional(bool()),
    brokerName: optional(renamed("bname", name())),
  },
  sendMessageBuilder,
);
export type SendMessageRequestHeader = HeaderValue<typeof sendMessageRequestHeader>;

export const sendMessageV2RequestHeader = defineHeader(
  "SendMessageRequestHeaderV2",
  {
    producerGroup: renamed("a", name()),
    topic: renamed("b", name()),
    defaultTopic: renamed("c", name()),
    defaultTopicQueueNums: renamed("d", int32()),
    queueId: renamed("e", int32()),
    sysFlag: renamed("f", int32()),
    bornTimestamp: renamed("g", int64()),
    flag: renamed("h", int32()),
    properties: optional(renamed("i", string())),
    reconsumeTimes: optional(renamed("j", int32())),
    unitMode: optional(renamed("k", bool())),
    maxReconsumeTimes: optional(renamed("l", int32())),
    batch: optional(renamed("m", bool())),
    brokerName: optional(renamed("n", name())),
  },
  sendMessageBuilder,
);
/** The same properties as of code 10; only the names on the wire differ. */
export type SendMessageV2RequestHeader = HeaderValue<typeof sendMessageV2RequestHeader>;

export const sendMessageResponseHeader = defineHeader("SendMessageResponseHeader", {
  /** The offset message id; for a batch, all of them joined by commas. */
  msgId: string(),
  queueId: int32(),
  /** Of the first message. */
  queueOffset: int64(),
  transactionId: optional(string()),
  batchUniqId: optional(string()),
  recallHandle: optional(string()),
  TRACE_ON: optional(bool()),
  MSG_REGION: optional(name()),
  /** Ours: `disk` when the message was synced before this answer, `memory` when it was written only. */
  durability: optional(name()),
  /**
   * Ours, in answers other than success: `unknown` when the message may exist all the same; absent, the
   * message was refused.
   */
  outcome: optional(name()),
});
export type SendMessageResponseHeader = HeaderValue<typeof sendMessageResponseHeader>;

/** Decodes the header of any of the three codes, and of replies (324, 325). Throws WireError as HeaderSchema.decode. */
export function decodeSendMessageRequestHeader(code: number, ext: ExtFields): SendMessageRequestHeader {
  return code === RequestCode.SEND_MESSAGE || code === RequestCode.SEND_REPLY_MESSAGE
    ? sendMessageRequestHeader.decode(ext)
    : sendMessageV2RequestHeader.decode(ext);
}
