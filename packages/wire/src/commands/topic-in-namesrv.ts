/**
 * DELETE_TOPIC_IN_NAMESRV (216) and REGISTER_TOPIC_IN_NAMESRV (217): a topic leaves a NameServer's table, or comes to it
 * by an administrator's hand.
 *
 *   216   request   topic clusterName?         no cluster: everywhere
 *   217   request   topic, body TopicRouteData; only its queueDatas count
 */
import { defineHeader, type HeaderValue, name, optional } from "../frame/header-schema.ts";

export const deleteTopicInNamesrvRequestHeader = defineHeader("DeleteTopicFromNamesrvRequestHeader", {
  topic: name(),
  clusterName: optional(name()),
});
export type DeleteTopicInNamesrvRequestHeader = HeaderValue<typeof deleteTopicInNamesrvRequestHeader>;

export const registerTopicInNamesrvRequestHeader = defineHeader("RegisterTopicRequestHeader", {
  topic: name(),
});
export type RegisterTopicInNamesrvRequestHeader = HeaderValue<typeof registerTopicInNamesrvRequestHeader>;
