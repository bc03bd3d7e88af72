/**
 * The retry topics of POP (RocketMQ: KeyBuilder): one for each group and topic, unlike the retry topic of a group
 * that pulls. Two spellings exist; the second can be taken apart again, because "+" is in no name.
 *
 *   v1 = "%RETRY%" group "_" topic
 *   v2 = "%RETRY%" group "+" topic
 */

/** What a handle or an offset list says of where a message lies: 0 the topic itself, 1 and 2 its retry topics. */
export type PopTopicType = 0 | 1 | 2;

const PREFIX = "%RETRY%";
const SEPARATOR_V1 = "_";
const SEPARATOR_V2 = "+";

export function popRetryTopicV1(topic: string, group: string): string {
  return PREFIX + group + SEPARATOR_V1 + topic;
}

export function popRetryTopicV2(topic: string, group: string): string {
  return PREFIX + group + SEPARATOR_V2 + topic;
}

/** The type of the topic a message lies in. */
export function popTopicTypeOf(topic: string): PopTopicType {
  if (!topic.startsWith(PREFIX)) return 0;
  return topic.includes(SEPARATOR_V2) ? 2 : 1;
}

/** The topic that messages of `type`, consumed by `group` as `topic`, lie in. */
export function popTopicOfType(type: PopTopicType, topic: string, group: string): string {
  if (type === 0) return topic;
  return type === 1 ? popRetryTopicV1(topic, group) : popRetryTopicV2(topic, group);
}

/** The topic that `group` subscribes to when it gets what lies in `topic`. */
export function popNormalTopicOf(topic: string, group: string): string {
  for (const separator of [SEPARATOR_V2, SEPARATOR_V1]) {
    const prefix = PREFIX + group + separator;
    if (topic.startsWith(prefix)) return topic.slice(prefix.length);
  }
  return topic;
}
