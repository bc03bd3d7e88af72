/**
 * The topics a broker has from birth (RocketMQ: TopicConfigManager.init). They carry no data of users; TBW102,
 * the cluster's and the broker's own name are what new topics are created after.
 */
import { newTopicConfig, Perm, type TopicConfig } from "@orbitmq/wire";
import {
  AUTO_CREATE_TOPIC_KEY_TOPIC,
  HALF_OP_TOPIC,
  HALF_TOPIC,
  isReservedTopic,
  REVIVE_TOPIC_PREFIX,
  SCHEDULE_TOPIC,
  SYNC_BROKER_MEMBER_GROUP_PREFIX,
  TIMER_TOPIC,
} from "../names.ts";

export interface SystemTopicsOptions {
  readonly brokerName: string;
  readonly brokerClusterName: string;
  readonly autoCreateTopicEnable: boolean;
  readonly defaultTopicQueueNums: number;
  readonly clusterTopicEnable: boolean;
  readonly brokerTopicEnable: boolean;
  readonly reviveQueueNum: number;
  readonly traceTopicEnable: boolean;
  readonly msgTraceTopicName: string;
}

const SCHEDULE_LEVELS = 18;
const BENCHMARK_QUEUES = 1024;

export function systemTopics(options: SystemTopicsOptions): TopicConfig[] {
  const queues = (topicName: string, count: number, perm: number = Perm.READ_WRITE): TopicConfig =>
    newTopicConfig(topicName, { readQueueNums: count, writeQueueNums: count, perm });
  const model = (enabled: boolean): number => Perm.INHERIT | (enabled ? Perm.READ_WRITE : 0);
  const cluster = options.brokerClusterName;
  const topics = [
    queues("SELF_TEST_TOPIC", 1),
    queues("BenchmarkTest", BENCHMARK_QUEUES),
    queues(cluster, 16, model(options.clusterTopicEnable)),
    queues(options.brokerName, 1, model(options.brokerTopicEnable)),
    queues("OFFSET_MOVED_EVENT", 1),
    queues(SCHEDULE_TOPIC, SCHEDULE_LEVELS),
    queues(`${cluster}_REPLY_TOPIC`, 1),
    queues(REVIVE_TOPIC_PREFIX + cluster, options.reviveQueueNum),
    queues(SYNC_BROKER_MEMBER_GROUP_PREFIX + options.brokerName, 1, Perm.INHERIT),
    queues(HALF_TOPIC, 1),
    queues(HALF_OP_TOPIC, 1),
    queues(TIMER_TOPIC, 1),
  ];
  if (options.traceTopicEnable) topics.push(queues(options.msgTraceTopicName, 1));
  if (options.autoCreateTopicEnable) {
    topics.push(queues(AUTO_CREATE_TOPIC_KEY_TOPIC, options.defaultTopicQueueNums, model(true)));
  }
  return topics;
}

/** Whether `topic` is the system's on this broker: reserved everywhere, or named after broker or cluster. */
export function isSystemTopic(topic: string, options: SystemTopicsOptions): boolean {
  return (
    isReservedTopic(topic) ||
    topic === options.brokerName ||
    topic === options.brokerClusterName ||
    topic === `${options.brokerClusterName}_REPLY_TOPIC`
  );
}
