/**
 * END_TRANSACTION (37): a producer says what is to become of a half message: committed, rolled back, or not known yet.
 * RocketMQ's clients send it oneway.
 *
 *   request   topic? producerGroup tranStateTableOffset commitLogOffset commitOrRollback fromTransactionCheck? msgId?
 *             transactionId? (bname?)
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

export const endTransactionRequestHeader = defineHeader("EndTransactionRequestHeader", {
  /** The topic the message was sent to; 5.x. */
  topic: optional(name()),
  producerGroup: name(),
  /** The half message's offset in its queue. */
  tranStateTableOffset: int64(),
  /** The half message's physical offset. */
  commitLogOffset: int64(),
  /** 8 commit, 12 rollback, 0 unknown: a `MessageSysFlag.TRANSACTION_*`. */
  commitOrRollback: int32(),
  /** Whether the broker has asked. */
  fromTransactionCheck: optional(bool()),
  /** The message's unique id. */
  msgId: optional(string()),
  transactionId: optional(string()),
});
export type EndTransactionRequestHeader = HeaderValue<typeof endTransactionRequestHeader>;
