/**
 * DELETE_TOPIC_IN_BROKER (215) and DELETE_TOPIC_IN_BROKER_LIST (5002): a topic, or several, with all their messages and
 * offsets, leave one broker.
 *
 *   215    request   topic
 *   5002   body      {"topicList":["T", …]}
 */
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const deleteTopicInBrokerRequestHeader = defineHeader("DeleteTopicRequestHeader", { topic: name() });
export type DeleteTopicInBrokerRequestHeader = HeaderValue<typeof deleteTopicInBrokerRequestHeader>;

export function encodeDeleteTopicListBody(topicList: readonly string[]): Uint8Array {
  return encodeFastjson({ topicList });
}

/** Throws WireError JSON_MALFORMED. */
export function parseDeleteTopicListBody(bytes: Uint8Array): string[] {
  return parseJsonObject(bytes, "DeleteTopicListRequestBody").strings("topicList");
}
