/** RocketMQ's rules for topic and group names (Validators, TopicValidator), checked before anything is sent. */
import { OrbitError } from "../errors/errors.ts";

const NAME = /^[%|a-zA-Z0-9_-]+$/;
const TOPIC_LENGTH_MAX = 127;
const GROUP_LENGTH_MAX = 120;
const RESERVED_GROUPS: ReadonlySet<string> = new Set(["DEFAULT_PRODUCER", "DEFAULT_CONSUMER"]);

/** Topics of the broker's own that nobody else may send to. */
const SYSTEM_TOPICS: ReadonlySet<string> = new Set([
  "SCHEDULE_TOPIC_XXXX",
  "RMQ_SYS_TRANS_HALF_TOPIC",
  "RMQ_SYS_TRANS_OP_HALF_TOPIC",
  "TRANS_CHECK_MAX_TIME_TOPIC",
  "SELF_TEST_TOPIC",
  "OFFSET_MOVED_EVENT",
]);

/** The system's own topics and groups: no namespace stands before them. */
const SYSTEM_NAMES: ReadonlySet<string> = new Set([
  ...SYSTEM_TOPICS,
  "TBW102",
  "BenchmarkTest",
  "RMQ_SYS_TRACE_TOPIC",
  "CHECKPOINT_TOPIC",
]);

export const RETRY_PREFIX = "%RETRY%";
export const DLQ_PREFIX = "%DLQ%";

/** RocketMQ: TopicValidator.isSystemTopic, MixAll.isSysConsumerGroup. */
export function isSystemName(name: string): boolean {
  return SYSTEM_NAMES.has(name) || name.startsWith("rmq_sys_") || name.startsWith("CID_RMQ_SYS_");
}

export function retryTopicOf(group: string): string {
  return RETRY_PREFIX + group;
}

/** Throws INVALID_ARGUMENT. */
export function checkTopic(topic: unknown): asserts topic is string {
  checkName("topic", topic, String(topic).startsWith(RETRY_PREFIX) ? 255 : TOPIC_LENGTH_MAX);
}

/** Throws INVALID_ARGUMENT or MESSAGE_INVALID. */
export function checkTopicToSend(topic: unknown): asserts topic is string {
  checkTopic(topic);
  if (SYSTEM_TOPICS.has(topic)) {
    throw new OrbitError("MESSAGE_INVALID", `${topic} is one of the broker's own topics; nobody sends to it`);
  }
}

/** Throws INVALID_ARGUMENT. */
export function checkGroup(group: unknown): asserts group is string {
  checkName("group", group, GROUP_LENGTH_MAX);
  if (RESERVED_GROUPS.has(group)) {
    throw new OrbitError("INVALID_ARGUMENT", `the group ${group} is reserved; choose a name of your own`);
  }
}

function checkName(what: string, name: unknown, lengthMax: number): asserts name is string {
  if (typeof name !== "string" || name === "") {
    throw new OrbitError("INVALID_ARGUMENT", `a ${what} must be a string that is not empty`);
  }
  if (name.length > lengthMax) {
    throw new OrbitError("INVALID_ARGUMENT", `the ${what} ${name} has more than ${lengthMax} characters`);
  }
  if (!NAME.test(name)) {
    throw new OrbitError(
      "INVALID_ARGUMENT",
      `the ${what} ${JSON.stringify(name)} has characters other than letters, digits, % | _ -`,
    );
  }
}
