/**
 * SEND_MESSAGE (10), SEND_MESSAGE_V2 (310) and SEND_BATCH_MESSAGE (320): a producer hands messages to a broker.
 * 310 is 10 with one-letter names; 320 has the header of 310 with `m` true and a batch body.
 *
 *   request 10    producerGroup topic defaultTopic defaultTopicQueueNums queueId sysFlag bornTimestamp flag
 *                 properties? reconsumeTimes? unitMode? maxReconsumeTimes? batch?
 *   request 310   a             b     c            d                     e       f       g             h
 *                 i?          j?              k?        l?                 m?     n? (broker name)
 *   body          the message body, compressed when sysFlag says so; for a batch see batch-body
 *   response      msgId queueId queueOffset transactionId? batchUniqId? recallHandle? MSG_REGION? TRACE_ON?
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
} from "../header-schema.ts";
import type { ExtFields, ExtSink } from "../remoting-command.ts";
import { RequestCode } from "../request-code.ts";

export const sendMessageRequestHeader = defineHeader("SendMessageRequestHeader", {
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
  brokerName: optional(name()),
});
export type SendMessageRequestHeader = HeaderValue<typeof sendMessageRequestHeader>;

export const sendMessageV2RequestHeader = defineHeader("SendMessageRequestHeaderV2", {
  a: name(),
  b: name(),
  c: name(),
  d: int32(),
  e: int32(),
  f: int32(),
  g: int64(),
  h: int32(),
  i: optional(string()),
  j: optional(int32()),
  k: optional(bool()),
  l: optional(int32()),
  m: optional(bool()),
  n: optional(name()),
});
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
  MSG_REGION: optional(name()),
  TRACE_ON: optional(bool()),
});
export type SendMessageResponseHeader = HeaderValue<typeof sendMessageResponseHeader>;

/** Decodes the header of any of the three codes to the long names. Throws WireError as HeaderSchema.decode. */
export function decodeSendMessageRequestHeader(code: number, ext: ExtFields): SendMessageRequestHeader {
  if (code === RequestCode.SEND_MESSAGE) return sendMessageRequestHeader.decode(ext);
  const v2 = sendMessageV2RequestHeader.decode(ext);
  return {
    producerGroup: v2.a,
    topic: v2.b,
    defaultTopic: v2.c,
    defaultTopicQueueNums: v2.d,
    queueId: v2.e,
    sysFlag: v2.f,
    bornTimestamp: v2.g,
    flag: v2.h,
    properties: v2.i,
    reconsumeTimes: v2.j,
    unitMode: v2.k,
    maxReconsumeTimes: v2.l,
    batch: v2.m,
    brokerName: v2.n,
  };
}

/** Writes the header of 310 or 320 from the long names. */
export function encodeSendMessageV2RequestHeader(value: SendMessageRequestHeader, sink: ExtSink): void {
  sendMessageV2RequestHeader.encode(
    {
      a: value.producerGroup,
      b: value.topic,
      c: value.defaultTopic,
      d: value.defaultTopicQueueNums,
      e: value.queueId,
      f: value.sysFlag,
      g: value.bornTimestamp,
      h: value.flag,
      i: value.properties,
      j: value.reconsumeTimes,
      k: value.unitMode,
      l: value.maxReconsumeTimes,
      m: value.batch,
      n: value.brokerName,
    },
    sink,
  );
}
