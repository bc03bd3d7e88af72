/**
 * UPDATE_AND_GET_GROUP_FORBIDDEN (353): forbids a group to read a topic, or allows it again, and tells how it is
 * now (RocketMQ: GroupForbidden).
 *
 *   request   group topic readable?        absent: only tell
 *   body      {"group","readable","topic"}
 */

import { bool, defineHeader, type HeaderValue, name, optional } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const updateGroupForbiddenRequestHeader = defineHeader("UpdateGroupForbiddenRequestHeader", {
  group: name(),
  topic: name(),
  readable: optional(bool()),
});
export type UpdateGroupForbiddenRequestHeader = HeaderValue<typeof updateGroupForbiddenRequestHeader>;

export function encodeGroupForbidden(group: string, topic: string, readable: boolean): Uint8Array {
  return encodeFastjson({ group, readable, topic });
}

/** Whether the group may read the topic. Throws WireError JSON_MALFORMED. */
export function parseGroupReadable(bytes: Uint8Array): boolean {
  return parseJsonObject(bytes, "GroupForbidden").boolean("readable", true);
}
