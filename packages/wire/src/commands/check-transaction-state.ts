/**
 * CHECK_TRANSACTION_STATE (39): a broker asks a producer, oneway, what has become of the transaction of a half message;
 * the producer answers with END_TRANSACTION (37).
 *
 *   request   topic? tranStateTableOffset commitLogOffset msgId? transactionId? offsetMsgId? (bname?)
 *   body      the half message's record, with the topic and queue it was sent to
 *   response  nothing
 */
import { defineHeader, type HeaderValue, int64, name, optional, string } from "../frame/header-schema.ts";

export const checkTransactionStateRequestHeader = defineHeader("CheckTransactionStateRequestHeader", {
  topic: optional(name()),
  /** The half message's offset in its queue. */
  tranStateTableOffset: int64(),
  /** The half message's physical offset. */
  commitLogOffset: int64(),
  /** The message's unique id. */
  msgId: optional(string()),
  transactionId: optional(string()),
  offsetMsgId: optional(string()),
});
export type CheckTransactionStateRequestHeader = HeaderValue<typeof checkTransactionStateRequestHeader>;
