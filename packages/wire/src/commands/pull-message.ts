/**
 * PULL_MESSAGE (11): messages of one queue from an offset on; LITE_PULL_MESSAGE (361) is the same conversation
 * for consumers that assign queues themselves.
 *
 *   request   consumerGroup topic queueId queueOffset maxMsgNums sysFlag commitOffset suspendTimeoutMillis
 *             subscription? subVersion expressionType? maxMsgBytes? requestSource? proxyFrowardClientId?
 *             bname?
 *   response  suggestWhichBrokerId nextBeginOffset minOffset maxOffset offsetDelta? topicSysFlag? groupSysFlag?
 *             forbiddenType?
 *   body      records, one after the other, as they lie in the CommitLog (see message-record)
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

export const pullMessageRequestHeader = defineHeader("PullMessageRequestHeader", {
  consumerGroup: name(),
  topic: name(),
  queueId: int32(),
  queueOffset: int64(),
  maxMsgNums: int32(),
  /** PullSysFlag bits. */
  sysFlag: int32(),
  commitOffset: int64(),
  suspendTimeoutMillis: int64(),
  subscription: optional(name()),
  subVersion: int64(),
  /** TAG or SQL92; absent means TAG. */
  expressionType: optional(name()),
  maxMsgBytes: optional(int32()),
  /** -1 a client, 0 to 2 a proxy. */
  requestSource: optional(int32()),
  proxyFrowardClientId: optional(string()),
  brokerName: optional(renamed("bname", name())),
});
export type PullMessageRequestHeader = HeaderValue<typeof pullMessageRequestHeader>;

export const pullMessageResponseHeader = defineHeader("PullMessageResponseHeader", {
  suggestWhichBrokerId: int64(),
  nextBeginOffset: int64(),
  minOffset: int64(),
  maxOffset: int64(),
  offsetDelta: optional(int64()),
  topicSysFlag: optional(int32()),
  groupSysFlag: optional(int32()),
  /** With NO_PERMISSION: 1 broker, 2 group, 3 topic, 4 broadcast disabled, 5 subscription. */
  forbiddenType: optional(int32()),
});
export type PullMessageResponseHeader = HeaderValue<typeof pullMessageResponseHeader>;
