/**
 * The topics of a group's retries and dead letters, made when they are first needed (RocketMQ:
 * createTopicInSendMessageBackMethod): readable and writable, whether topics are created by sending or not.
 */
import { newTopicConfig, type TopicConfig } from "@orbitmq/wire";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export const DLQ_QUEUES = 1;

/** The topic as it is, or is now; `undefined` when there are too many. */
export function groupTopic(
  topics: TopicRegistry,
  topicsMax: number,
  topic: string,
  queues: number,
  topicSysFlag: number,
): TopicConfig | undefined {
  const known = topics.get(topic);
  if (known !== undefined) return known;
  if (topics.topics.size >= topicsMax) return undefined;
  topics.put(newTopicConfig(topic, { readQueueNums: queues, writeQueueNums: queues, topicSysFlag }));
  return topics.get(topic);
}
