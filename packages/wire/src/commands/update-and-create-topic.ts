/**
 * UPDATE_AND_CREATE_TOPIC (17): creates a topic on one broker or changes it (RocketMQ: CreateTopicRequestHeader).
 *
 *   request   topic defaultTopic readQueueNums writeQueueNums perm topicFilterType topicSysFlag? order?
 *             attributes? force?
 *   response  nothing
 *
 * `attributes` is `+key=value` to set and `-key` to drop, joined by commas.
 */
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  name,
  optional,
  string,
} from "../frame/header-schema.ts";

export const updateAndCreateTopicRequestHeader = defineHeader("CreateTopicRequestHeader", {
  topic: name(),
  defaultTopic: optional(name()),
  readQueueNums: int32(),
  writeQueueNums: int32(),
  perm: int32(),
  /** SINGLE_TAG or MULTI_TAG; absent means SINGLE_TAG. */
  topicFilterType: optional(string()),
  topicSysFlag: optional(int32()),
  order: optional(bool()),
  attributes: optional(string()),
  force: optional(bool()),
});
export type UpdateAndCreateTopicRequestHeader = HeaderValue<typeof updateAndCreateTopicRequestHeader>;
