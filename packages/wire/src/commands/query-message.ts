/**
 * QUERY_MESSAGE (12): messages of a topic by key.
 *
 *   request   topic key maxNum beginTimestamp endTimestamp indexType? lastKey? _UNIQUE_KEY_QUERY?
 *   response  indexLastUpdateTimestamp indexLastUpdatePhyoffset   body: whole records, in the order of the log
 *
 * `_UNIQUE_KEY_QUERY=true` asks for a UNIQ_KEY (clients since 4.x); RocketMQ 5.4 and later say so with an index
 * type, too: `K` keys, `U` unique key, `T` tag.
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

export const UNIQUE_KEY_QUERY = "_UNIQUE_KEY_QUERY";

export const queryMessageRequestHeader = defineHeader("QueryMessageRequestHeader", {
  topic: name(),
  key: string(),
  maxNum: int32(),
  beginTimestamp: int64(),
  endTimestamp: int64(),
  indexType: optional(string()),
  lastKey: optional(string()),
});
export type QueryMessageRequestHeader = HeaderValue<typeof queryMessageRequestHeader>;

export const queryMessageResponseHeader = defineHeader("QueryMessageResponseHeader", {
  indexLastUpdateTimestamp: int64(),
  indexLastUpdatePhyoffset: int64(),
});
export type QueryMessageResponseHeader = HeaderValue<typeof queryMessageResponseHeader>;
