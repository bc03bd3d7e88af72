/**
 * Names of topics and groups: which are well-formed, which belong to the system, and how retry and dead-letter
 * topics are called (RocketMQ: TopicValidator, MixAll). The functions answer with the remark a client is told.
 */
export const RETRY_GROUP_TOPIC_PREFIX = "%RETRY%";
export const DLQ_GROUP_TOPIC_PREFIX = "%DLQ%";
export const SYSTEM_TOPIC_PREFIX = "rmq_sys_";
export const AUTO_CREATE_TOPIC_KEY_TOPIC = "TBW102";
export const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
export const TIMER_TOPIC = "rmq_sys_wheel_timer";
export const HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
export const HALF_OP_TOPIC = "RMQ_SYS_TRANS_OP_HALF_TOPIC";
/** Where halves are parked that were checked in vain. */
export const CHECK_MAX_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC";
/** Whose offsets say how far both topics of transactions are done with. */
export const TRANSACTION_GROUP = "CID_RMQ_SYS_TRANS";
export const REVIVE_TOPIC_PREFIX = "rmq_sys_REVIVE_LOG_";
export const SYNC_BROKER_MEMBER_GROUP_PREFIX = "rmq_sys_SYNC_BROKER_MEMBER_";

const TOPIC_LENGTH_MAX = 127;
const RETRY_OR_DLQ_TOPIC_LENGTH_MAX = 255;
const GROUP_LENGTH_MAX = 120;
const LEGAL = /^[%|a-zA-Z0-9_-]+$/;

const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  AUTO_CREATE_TOPIC_KEY_TOPIC,
  SCHEDULE_TOPIC,
  "BenchmarkTest",
  HALF_TOPIC,
  "RMQ_SYS_TRACE_TOPIC",
  HALF_OP_TOPIC,
  CHECK_MAX_TOPIC,
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
  "CHECKPOINT_TOPIC",
]);

/** What every broker calls its own, whatever its name and cluster are. */
export const systemTopicNames = (): readonly string[] => [...SYSTEM_TOPICS];

/** Topics only the broker itself writes to. The timer's is ours: RocketMQ lets clients forge timers there. */
const NOT_ALLOWED_SEND_TOPICS: ReadonlySet<string> = new Set([
  SCHEDULE_TOPIC,
  HALF_TOPIC,
  HALF_OP_TOPIC,
  CHECK_MAX_TOPIC,
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
  TIMER_TOPIC,
]);

/** Why `topic` cannot be a topic's name; `undefined` when it can. */
export function topicNameProblem(topic: string): string | undefined {
  if (topic.trim() === "") return "The specified topic is blank.";
  if (!LEGAL.test(topic)) {
    return `The specified topic: ${shown(topic)}, contains illegal characters, allowing only ${LEGAL.source}`;
  }
  const max = isRetryTopic(topic) || isDlqTopic(topic) ? RETRY_OR_DLQ_TOPIC_LENGTH_MAX : TOPIC_LENGTH_MAX;
  if (topic.length > max) {
    return `The specified topic: ${shown(topic)}, is longer than topic max length: ${max}`;
  }
  return undefined;
}

/** Why `group` cannot be a consumer group's name; `undefined` when it can. */
export function groupNameProblem(group: string): string | undefined {
  if (group.trim() === "") return "The specified group is blank.";
  if (!LEGAL.test(group)) {
    return `The specified group: ${shown(group)}, contains illegal characters, allowing only ${LEGAL.source}`;
  }
  if (group.length > GROUP_LENGTH_MAX) {
    return `The specified group: ${shown(group)}, is longer than group max length: ${GROUP_LENGTH_MAX}`;
  }
  return undefined;
}

/** Remarks must not carry kilobytes of somebody's garbage back. */
function shown(text: string): string {
  return text.length <= 256 ? text : `${text.slice(0, 256)}…`;
}

export function isRetryTopic(topic: string): boolean {
  return topic.startsWith(RETRY_GROUP_TOPIC_PREFIX);
}

export function isDlqTopic(topic: string): boolean {
  return topic.startsWith(DLQ_GROUP_TOPIC_PREFIX);
}

export function retryTopicOf(group: string): string {
  return RETRY_GROUP_TOPIC_PREFIX + group;
}

export function dlqTopicOf(group: string): string {
  return DLQ_GROUP_TOPIC_PREFIX + group;
}

/** The group of a retry topic. */
export function groupOfRetryTopic(topic: string): string {
  return topic.slice(RETRY_GROUP_TOPIC_PREFIX.length);
}

/** Whether every broker reserves `topic`; a broker's own (its name, its cluster's) are in system-topics. */
export function isReservedTopic(topic: string): boolean {
  return SYSTEM_TOPICS.has(topic) || topic.startsWith(SYSTEM_TOPIC_PREFIX);
}

export function isNotAllowedSendTopic(topic: string): boolean {
  return NOT_ALLOWED_SEND_TOPICS.has(topic) || topic.startsWith(REVIVE_TOPIC_PREFIX);
}
