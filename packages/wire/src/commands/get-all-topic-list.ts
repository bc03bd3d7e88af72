/**
 * GET_ALL_TOPIC_LIST_FROM_NAMESERVER (206): the names of all topics (RocketMQ: TopicList).
 *
 *   request   nothing
 *   body      {"topicList":["T", …],"brokerAddr"?:"host:port"}
 */
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export interface TopicList {
  readonly topicList: readonly string[];
  readonly brokerAddr?: string | undefined;
}

export function encodeTopicList(value: TopicList): Uint8Array {
  return encodeFastjson({ brokerAddr: value.brokerAddr, topicList: value.topicList });
}

/** Throws WireError JSON_MALFORMED. */
export function parseTopicList(bytes: Uint8Array): TopicList {
  const body = parseJsonObject(bytes, "TopicList");
  return { topicList: body.strings("topicList"), brokerAddr: body.optionalString("brokerAddr") };
}
