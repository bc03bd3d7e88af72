/**
 * POP_MESSAGE (200050): messages of a topic that nobody else gets for a while; who does not acknowledge them
 * meanwhile has them delivered again. Messages that come again lie in a retry topic of group and topic.
 *
 *   request   consumerGroup topic queueId maxMsgNums invisibleTime pollTime bornTime initMode expType? exp? order?
 *             attemptId? bname?
 *   response  popTime invisibleTime reviveQid restNum startOffsetInfo? msgOffsetInfo? orderCountInfo?
 *   body      records (see message-record). Those of the topic as they lie in the CommitLog: the consumer builds
 *             their handles from the offset lists (see pop-offset-info). Those of a retry topic with the topic
 *             that was asked for, and their handle in POP_CK.
 *
 * POLLING_FULL (209): too many wait already; POLLING_TIMEOUT (210): nothing came in time.
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

/** Where a group starts that has consumed nothing: the oldest message, or the newest. */
export const ConsumeInitMode = { MIN: 0, MAX: 1 } as const;

export const popMessageRequestHeader = defineHeader("PopMessageRequestHeader", {
  consumerGroup: name(),
  topic: name(),
  /** -1: any. */
  queueId: int32(),
  /** At most 32. */
  maxMsgNums: int32(),
  /** ms. */
  invisibleTime: int64(),
  /** How long it may wait for a message, ms from bornTime; 0 or less: not at all. */
  pollTime: int64(),
  /** When it was asked, wall ms; 0: now. */
  bornTime: int64(),
  /** {@link ConsumeInitMode}. */
  initMode: int32(),
  /** TAG or SQL92; absent means TAG. */
  expType: optional(name()),
  exp: optional(name()),
  /** Each queue's messages one batch after the other. Default false. */
  order: optional(bool()),
  /** Who asks in order a second time with the same id gets the same messages again. */
  attemptId: optional(string()),
  brokerName: optional(renamed("bname", name())),
});
export type PopMessageRequestHeader = HeaderValue<typeof popMessageRequestHeader>;

export const popMessageResponseHeader = defineHeader("PopMessageResponseHeader", {
  /** Wall ms by the broker's clock. */
  popTime: int64(),
  /** ms. */
  invisibleTime: int64(),
  reviveQid: int32(),
  /** About how many more there are. */
  restNum: int64(),
  startOffsetInfo: optional(string()),
  msgOffsetInfo: optional(string()),
  orderCountInfo: optional(string()),
});
export type PopMessageResponseHeader = HeaderValue<typeof popMessageResponseHeader>;
