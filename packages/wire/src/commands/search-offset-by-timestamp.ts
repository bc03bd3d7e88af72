/**
 * SEARCH_OFFSET_BY_TIMESTAMP (29): the queue offset at a store time.
 *
 *   request   topic queueId timestamp boundaryType?
 *   response  offset
 */
import {
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
  string,
} from "../frame/header-schema.ts";

export const searchOffsetByTimestampRequestHeader = defineHeader("SearchOffsetRequestHeader", {
  topic: name(),
  queueId: int32(),
  timestamp: int64(),
  /** `lower` (the first stored at or after; default) or `upper` (the last stored at or before), in any case. */
  boundaryType: optional(string()),
});
export type SearchOffsetByTimestampRequestHeader = HeaderValue<typeof searchOffsetByTimestampRequestHeader>;

export const searchOffsetByTimestampResponseHeader = defineHeader("SearchOffsetResponseHeader", {
  offset: int64(),
});
export type SearchOffsetByTimestampResponseHeader = HeaderValue<typeof searchOffsetByTimestampResponseHeader>;
