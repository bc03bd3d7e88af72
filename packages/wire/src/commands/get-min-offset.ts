/**
 * GET_MIN_OFFSET (31): the first offset of a queue that is still stored.
 *
 *   request   topic queueId
 *   response  offset
 */
import { defineHeader, type HeaderValue, int32, int64, name } from "../frame/header-schema.ts";

export const getMinOffsetRequestHeader = defineHeader("GetMinOffsetRequestHeader", {
  topic: name(),
  queueId: int32(),
});
export type GetMinOffsetRequestHeader = HeaderValue<typeof getMinOffsetRequestHeader>;

export const getMinOffsetResponseHeader = defineHeader("GetMinOffsetResponseHeader", {
  offset: int64(),
});
export type GetMinOffsetResponseHeader = HeaderValue<typeof getMinOffsetResponseHeader>;
