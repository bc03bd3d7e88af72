/**
 * GET_EARLIEST_MSG_STORETIME (32): when the oldest message of a queue that is still there was stored.
 *
 *   request   topic queueId
 *   response  timestamp            wall ms; -1 when the queue has no message
 */
import { defineHeader, type HeaderValue, int32, int64, name } from "../frame/header-schema.ts";

export const getEarliestMsgStoretimeRequestHeader = defineHeader("GetEarliestMsgStoretimeRequestHeader", {
  topic: name(),
  queueId: int32(),
});
export type GetEarliestMsgStoretimeRequestHeader = HeaderValue<typeof getEarliestMsgStoretimeRequestHeader>;

export const getEarliestMsgStoretimeResponseHeader = defineHeader("GetEarliestMsgStoretimeResponseHeader", {
  timestamp: int64(),
});
export type GetEarliestMsgStoretimeResponseHeader = HeaderValue<typeof getEarliestMsgStoretimeResponseHeader>;
