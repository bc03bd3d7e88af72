/**
 * GET_MAX_OFFSET (30): one past the last message of a queue.
 *
 *   request   topic queueId committed?
 *   response  offset
 */
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
} from "../frame/header-schema.ts";

export const getMaxOffsetRequestHeader = defineHeader("GetMaxOffsetRequestHeader", {
  topic: name(),
  queueId: int32(),
  /** Absent means true. */
  committed: optional(bool()),
});
export type GetMaxOffsetRequestHeader = HeaderValue<typeof getMaxOffsetRequestHeader>;

export const getMaxOffsetResponseHeader = defineHeader("GetMaxOffsetResponseHeader", {
  offset: int64(),
});
export type GetMaxOffsetResponseHeader = HeaderValue<typeof getMaxOffsetResponseHeader>;
