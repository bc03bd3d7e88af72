/**
 * VIEW_MESSAGE_BY_ID (33): one message by its position in the broker's CommitLog, which its offset message id names.
 *
 *   request   topic? offset
 *   response  body: the record
 */
import { defineHeader, type HeaderValue, int64, name, optional } from "../frame/header-schema.ts";

export const viewMessageByIdRequestHeader = defineHeader("ViewMessageRequestHeader", {
  topic: optional(name()),
  offset: int64(),
});
export type ViewMessageByIdRequestHeader = HeaderValue<typeof viewMessageByIdRequestHeader>;
