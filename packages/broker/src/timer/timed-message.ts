/**
 * A message that is to be delivered at a time, on its way into the timer's queue and out of it (RocketMQ:
 * HookUtils.transformTimerMessage, TimerMessageStore.convertMessage). What asks for a time, the first counts:
 *
 *   TIMER_DELAY_SEC   seconds from now
 *   TIMER_DELAY_MS    milliseconds from now
 *   TIMER_DELIVER_MS  wall ms
 *
 * A delay level counts more than all of them; a message with TIMER_OUT_MS was delivered once and is none any more.
 */
import { TIMER_PRECISION_MS } from "@orbitmq/store";
import {
  getProperty,
  MessageConst,
  type MessageRecord,
  type RecordInput,
  type TimerTrigger,
} from "@orbitmq/wire";
import { TIMER_TOPIC } from "../names.ts";
import { propertyText, realPlace, withProperties } from "../sending/property-text.ts";
import { storedAgain } from "../sending/stored-again.ts";

const TRIGGERS = [
  MessageConst.TIMER_DELAY_SEC,
  MessageConst.TIMER_DELAY_MS,
  MessageConst.TIMER_DELIVER_MS,
] as const;
const QUEUE_ID = /^\d{1,9}$/;
const INTEGER = /^[+-]?\d{1,18}$/;

/** Wall ms at which the message with these properties is to be delivered; NaN when that is no number, `undefined` when it asks for none. */
export function deliverAtOf(properties: string, nowMs: number): number | undefined {
  if (getProperty(properties, MessageConst.TIMER_OUT_MS) !== undefined) return undefined;
  for (const trigger of TRIGGERS) {
    const value = getProperty(properties, trigger);
    if (value !== undefined) return deliverAt(trigger, integer(value), nowMs);
  }
  return undefined;
}

/** Wall ms at which a message is to be delivered that asks so for a time. */
export function deliverAt(trigger: TimerTrigger, value: number, nowMs: number): number {
  if (trigger === MessageConst.TIMER_DELIVER_MS) return value;
  return nowMs + (trigger === MessageConst.TIMER_DELAY_SEC ? 1_000 * value : value);
}

/** The slot whose messages are delivered in the second that begins after it: never before `deliverAtMs`. */
export function timerOutOf(deliverAtMs: number): number {
  return Math.ceil(deliverAtMs / TIMER_PRECISION_MS - 1) * TIMER_PRECISION_MS;
}

/** `message` as it is stored to be delivered when the slot `outMs` is over. */
export function timedMessage(message: RecordInput, outMs: number): RecordInput {
  return {
    ...message,
    topic: TIMER_TOPIC,
    queueId: 0,
    properties:
      withProperties(message.properties, NOT_THE_SENDERS) +
      timedEnding(outMs, message.topic, message.queueId),
  };
}

/** They tell when a message is due, and where it belongs. */
const NOT_THE_SENDERS = {
  [MessageConst.TIMER_OUT_MS]: undefined,
  [MessageConst.REAL_TOPIC]: undefined,
  [MessageConst.REAL_QUEUE_ID]: undefined,
};

/** What is behind the properties that were sent, and behind the broker's own. */
export function timedEnding(outMs: number, topic: string, queueId: number): string {
  return propertyText(MessageConst.TIMER_OUT_MS, outMs) + realPlace(topic, queueId);
}

export interface TimerStamps {
  /** Wall ms when it was put into the wheel, and when it was taken out. */
  readonly enqueueMs: number;
  readonly dequeueMs: number;
}

/** What a record of the timer's queue becomes at its time; `undefined` when it does not say where it belongs. */
export function dueTimedMessage(
  record: MessageRecord,
  storeHost: Uint8Array,
  stamps: TimerStamps | undefined,
): RecordInput | undefined {
  const topic = getProperty(record.properties, MessageConst.REAL_TOPIC) ?? "";
  const queueId = getProperty(record.properties, MessageConst.REAL_QUEUE_ID) ?? "";
  if (topic === "" || topic === TIMER_TOPIC || !QUEUE_ID.test(queueId)) return undefined;
  return { ...copyOf(record, storeHost, stamps, {}), topic, queueId: Number(queueId) };
}

/** What a record becomes whose time lies beyond the window that is over: once more a message of the timer's queue. */
export function rolledMessage(
  record: MessageRecord,
  storeHost: Uint8Array,
  stamps: TimerStamps | undefined,
): RecordInput {
  const times = Number(getProperty(record.properties, MessageConst.TIMER_ROLL_TIMES) ?? 0);
  const rolls = { [MessageConst.TIMER_ROLL_TIMES]: (Number.isSafeInteger(times) ? times : 0) + 1 };
  return { ...copyOf(record, storeHost, stamps, rolls), topic: TIMER_TOPIC, queueId: 0 };
}

function copyOf(
  record: MessageRecord,
  storeHost: Uint8Array,
  stamps: TimerStamps | undefined,
  more: Readonly<Record<string, number>>,
): RecordInput {
  const stamped = stamps && {
    [MessageConst.TIMER_ENQUEUE_MS]: stamps.enqueueMs,
    [MessageConst.TIMER_DEQUEUE_MS]: stamps.dequeueMs,
    ...more,
  };
  const properties = stamped === undefined ? record.properties : withProperties(record.properties, stamped);
  return storedAgain(record, "", 0, storeHost, properties);
}

function integer(text: string): number {
  return INTEGER.test(text) ? Number(text) : Number.NaN;
}
