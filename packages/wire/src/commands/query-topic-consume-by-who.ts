/**
 * QUERY_TOPIC_CONSUME_BY_WHO (300): the groups that consume a topic, online or with offsets (RocketMQ: GroupList).
 *
 *   request   topic
 *   body      {"groupList":["<group>"]}
 */

import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const queryTopicConsumeByWhoRequestHeader = defineHeader("QueryTopicConsumeByWhoRequestHeader", {
  topic: name(),
});
export type QueryTopicConsumeByWhoRequestHeader = HeaderValue<typeof queryTopicConsumeByWhoRequestHeader>;

export function encodeGroupList(groups: Iterable<string>): Uint8Array {
  return encodeFastjson({ groupList: [...groups] });
}

/** Throws WireError JSON_MALFORMED. */
export function parseGroupList(bytes: Uint8Array): string[] {
  return parseJsonObject(bytes, "GroupList").strings("groupList");
}
