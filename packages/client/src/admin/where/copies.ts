/**
 * The copies of a message that lie in logs: where it waits, where it is consumed from, where it is retried and where it
 * ends. All of them carry the id its producer gave it. Pure.
 *
 *   half        RMQ_SYS_TRANS_HALF_TOPIC           parked    TRANS_CHECK_MAX_TIME_TOPIC
 *   scheduled   SCHEDULE_TOPIC_XXXX                timed     rmq_sys_wheel_timer
 *   deletion    rmq_sys_wheel_timer, a recall      retry     %RETRY%…
 *   dead        %DLQ%…                             message   any other topic
 */
import {
  encodeOffsetMessageId,
  MessageConst,
  type MessageRecord,
  parseProperties,
  popRetryTopicV1,
  popRetryTopicV2,
} from "@orbitmq/wire";
import { DLQ_PREFIX, RETRY_PREFIX } from "../../names/names.ts";

export const SCHEDULE_TOPIC = "SCHEDULE_TOPIC_XXXX";
export const TIMER_TOPIC = "rmq_sys_wheel_timer";
export const HALF_TOPIC = "RMQ_SYS_TRANS_HALF_TOPIC";
export const CHECK_MAX_TOPIC = "TRANS_CHECK_MAX_TIME_TOPIC";

/** Where messages wait before consumers can have them. */
export const WAITING_TOPICS = [SCHEDULE_TOPIC, TIMER_TOPIC, HALF_TOPIC, CHECK_MAX_TOPIC] as const;

export type CopyKind = "half" | "parked" | "scheduled" | "timed" | "deletion" | "retry" | "dead" | "message";

export interface Copy {
  readonly kind: CopyKind;
  readonly brokerName: string;
  readonly record: MessageRecord;
  readonly properties: ReadonlyMap<string, string>;
  readonly offsetMsgId: string;
  readonly uniqKey: string | undefined;
}

export function copyOf(brokerName: string, record: MessageRecord): Copy {
  const properties = parseProperties(record.properties);
  return {
    kind: kindOf(record.topic, properties),
    brokerName,
    record,
    properties,
    offsetMsgId: encodeOffsetMessageId(record.storeHost, record.physicalOffset),
    uniqKey: properties.get(MessageConst.UNIQ_CLIENT_MESSAGE_ID_KEYIDX),
  };
}

function kindOf(topic: string, properties: ReadonlyMap<string, string>): CopyKind {
  if (topic === HALF_TOPIC) return "half";
  if (topic === CHECK_MAX_TOPIC) return "parked";
  if (topic === SCHEDULE_TOPIC) return "scheduled";
  if (topic === TIMER_TOPIC) return properties.has(MessageConst.TIMER_DEL_UNIQKEY) ? "deletion" : "timed";
  if (topic.startsWith(RETRY_PREFIX)) return "retry";
  return topic.startsWith(DLQ_PREFIX) ? "dead" : "message";
}

/** Where it lies, or, for one that waits, where it will. */
export function targetOf({ record, properties }: Copy): string {
  return (properties.get(MessageConst.REAL_TOPIC) || undefined) && isWaitingTopic(record.topic)
    ? properties.get(MessageConst.REAL_TOPIC)!
    : record.topic;
}

export function isWaitingTopic(topic: string): boolean {
  return (WAITING_TOPICS as readonly string[]).includes(topic);
}

/** The topic that the application knows the message by; `undefined` when a retry does not say. */
export function topicOf(copy: Copy, groups: readonly string[] = []): string | undefined {
  const target = targetOf(copy);
  const origin = copy.properties.get(MessageConst.RETRY_TOPIC) || undefined;
  if (target.startsWith(DLQ_PREFIX)) return origin ?? target;
  if (!target.startsWith(RETRY_PREFIX)) return target;
  if (origin !== undefined && !origin.startsWith(RETRY_PREFIX)) return origin;
  const plus = target.indexOf("+");
  if (plus > 0) return target.slice(plus + 1);
  const group = groups.find((each) => target.startsWith(popRetryTopicV1("", each)));
  return group === undefined ? undefined : target.slice(popRetryTopicV1("", group).length);
}

/** Whose retry or dead letter of `topic` it is; `undefined` for others. `groups`: those that are known. */
export function groupOf(copy: Copy, topic: string, groups: readonly string[]): string | undefined {
  const target = targetOf(copy);
  if (target.startsWith(DLQ_PREFIX)) return target.slice(DLQ_PREFIX.length);
  if (!target.startsWith(RETRY_PREFIX)) return undefined;
  const known = groups.find((group) => retryTopicsOf(group, topic).includes(target));
  if (known !== undefined) return known;
  const name = target.slice(RETRY_PREFIX.length);
  for (const separator of [`+${topic}`, `_${topic}`]) {
    // Only pops that come again have no RETRY_TOPIC.
    const isPop = !copy.properties.has(MessageConst.RETRY_TOPIC);
    if (isPop && name.endsWith(separator)) return name.slice(0, -separator.length);
  }
  return name;
}

/** Where retries of a group may lie. */
export function retryTopicsOf(group: string, topic: string): string[] {
  return [RETRY_PREFIX + group, popRetryTopicV1(topic, group), popRetryTopicV2(topic, group)];
}

export function numberOf(copy: Copy, name: string): number | undefined {
  const text = copy.properties.get(name) ?? "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Broker and position: no two copies have the same. */
export function keyOf({ brokerName, record }: Copy): string {
  return `${brokerName}@${record.physicalOffset}`;
}
