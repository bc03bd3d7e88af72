/**
 * GET_TOPIC_CONFIG (351): one topic of a broker, or TOPIC_NOT_EXIST (17).
 *
 *   request   topic
 *   body      TopicConfig (see topic-config)
 */
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";

export const getTopicConfigRequestHeader = defineHeader("GetTopicConfigRequestHeader", {
  topic: name(),
});
export type GetTopicConfigRequestHeader = HeaderValue<typeof getTopicConfigRequestHeader>;
