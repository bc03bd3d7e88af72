/**
 * UPDATE_AND_CREATE_TOPIC_LIST (18): several topics at once (RocketMQ: CreateTopicListRequestBody).
 *
 *   body      {"topicConfigList":[TopicConfig]}; `attributes` are changes: {"+key":"value"} sets, {"-key":""} drops
 *   response  nothing
 */
import { type TopicConfig, topicConfigFromJson } from "../bodies/topic-config.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export function encodeTopicConfigList(topicConfigList: readonly TopicConfig[]): Uint8Array {
  return encodeFastjson({ topicConfigList });
}

/** Throws WireError JSON_MALFORMED. */
export function parseTopicConfigList(bytes: Uint8Array): TopicConfig[] {
  return parseJsonObject(bytes, "CreateTopicListRequestBody")
    .objectList("topicConfigList")
    .map((json) => topicConfigFromJson(json));
}
