/**
 * GET_TOPICS_BY_CLUSTER (224): the topics that brokers of a cluster serve.
 *
 *   request   cluster
 *   body      TopicList (see get-all-topic-list)
 */
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";

export const getTopicsByClusterRequestHeader = defineHeader("GetTopicsByClusterRequestHeader", {
  cluster: name(),
});
export type GetTopicsByClusterRequestHeader = HeaderValue<typeof getTopicsByClusterRequestHeader>;
