/**
 * GET_ALL_TOPIC_CONFIG (21): all topics of a broker, in pages when asked so (RocketMQ:
 * TopicConfigAndMappingSerializeWrapper).
 *
 *   request   topicSeq? dataVersion? maxTopicNum?       all absent: everything at once
 *   response  totalTopicNum?
 *   body      TopicConfigSerializeWrapper (see topic-config)
 */
import { defineHeader, type HeaderValue, int32, optional, string } from "../frame/header-schema.ts";

export const getAllTopicConfigRequestHeader = defineHeader("GetAllTopicConfigRequestHeader", {
  topicSeq: optional(int32()),
  /** A DataVersion as JSON. */
  dataVersion: optional(string()),
  maxTopicNum: optional(int32()),
});
export type GetAllTopicConfigRequestHeader = HeaderValue<typeof getAllTopicConfigRequestHeader>;

export const getAllTopicConfigResponseHeader = defineHeader("GetAllTopicConfigResponseHeader", {
  totalTopicNum: optional(int32()),
});
export type GetAllTopicConfigResponseHeader = HeaderValue<typeof getAllTopicConfigResponseHeader>;
