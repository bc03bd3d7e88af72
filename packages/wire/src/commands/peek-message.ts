/**
 * PEEK_MESSAGE (200052): what a POP would get, without getting it. It is answered as POP_MESSAGE is, with the
 * header of pop-message; nothing is found: PULL_NOT_FOUND (19).
 *
 *   request   consumerGroup topic queueId maxMsgNums bname?
 */
import { defineHeader, type HeaderValue, int32, name, optional, renamed } from "../frame/header-schema.ts";

export const peekMessageRequestHeader = defineHeader("PeekMessageRequestHeader", {
  topic: name(),
  /** -1: any. */
  queueId: int32(),
  /** At most 32. */
  maxMsgNums: int32(),
  consumerGroup: name(),
  brokerName: optional(renamed("bname", name())),
});
export type PeekMessageRequestHeader = HeaderValue<typeof peekMessageRequestHeader>;
