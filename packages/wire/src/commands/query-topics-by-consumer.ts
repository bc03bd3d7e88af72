/**
 * QUERY_TOPICS_BY_CONSUMER (343): the topics a group has offsets of. The answer is a TopicList (see
 * get-all-topic-list) with the broker's address.
 *
 *   request   group
 *   body      {"brokerAddr","topicList":["<topic>"]}
 */

import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";

export const queryTopicsByConsumerRequestHeader = defineHeader("QueryTopicsByConsumerRequestHeader", {
  group: name(),
});
export type QueryTopicsByConsumerRequestHeader = HeaderValue<typeof queryTopicsByConsumerRequestHeader>;

export function encodeConsumedTopics(topicList: readonly string[], brokerAddr: string): Uint8Array {
  return encodeFastjson({ brokerAddr, topicList });
}
