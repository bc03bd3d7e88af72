/**
 * A delayed message on its way through SCHEDULE_TOPIC_XXXX (RocketMQ: HookUtils.transformDelayLevelMessage,
 * ScheduleMessageService.messageTimeUp): it goes there under its level's queue with its real place among its
 * properties, and comes back with all of them, as RocketMQ's does.
 */
import { getProperty, MessageConst, type MessageRecord, type RecordInput } from "@orbitmq/wire";
import { SCHEDULE_TOPIC } from "../names.ts";
import { withProperties } from "../sending/property-text.ts";
import { storedAgain } from "../sending/stored-again.ts";

/** Longest text of a queue id. */
const QUEUE_ID = /^\d{1,9}$/;

/** `message` as it is stored to be delivered after the delay of `level`, which is at most `levelMax`. A level counts more than a timer. */
export function scheduledMessage(message: RecordInput, level: number, levelMax: number): RecordInput {
  const effective = Math.min(level, levelMax);
  return {
    ...message,
    topic: SCHEDULE_TOPIC,
    queueId: effective - 1,
    properties: withProperties(message.properties, {
      [MessageConst.TIMER_DELIVER_MS]: undefined,
      [MessageConst.TIMER_DELAY_SEC]: undefined,
      [MessageConst.TIMER_DELAY_MS]: undefined,
      [MessageConst.DELAY_TIME_LEVEL]: effective,
      [MessageConst.REAL_TOPIC]: message.topic,
      [MessageConst.REAL_QUEUE_ID]: message.queueId,
    }),
  };
}

/** The message a record of SCHEDULE_TOPIC_XXXX becomes when its time has come; `undefined` when it does not say where. */
export function dueMessage(record: MessageRecord, storeHost: Uint8Array): RecordInput | undefined {
  const topic = getProperty(record.properties, MessageConst.REAL_TOPIC) ?? "";
  const queueId = getProperty(record.properties, MessageConst.REAL_QUEUE_ID) ?? "";
  if (topic === "" || !QUEUE_ID.test(queueId)) return undefined;
  return storedAgain(record, topic, Number(queueId), storeHost, record.properties);
}
