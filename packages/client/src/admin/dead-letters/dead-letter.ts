/**
 * A dead letter: a message that a group could not consume as often as it may, or gave up, in its topic %DLQ%group. Those
 * a Java broker wrote are read alike. Pure.
 *
 *   originTopic   DLQ_ORIGIN_TOPIC, else RETRY_TOPIC; a message that was sent to the dead-letter topic has neither
 *   originMsgId   DLQ_ORIGIN_MESSAGE_ID, else ORIGIN_MESSAGE_ID: where it was stored first
 *   attempts      reconsumeTimes: how often it was consumed in vain
 *   reason        ORBITMQ_FAILURE: the last failure's text, when client and broker were OrbitMQ
 */
import { MessageConst, OrbitProperty } from "@orbitmq/wire";
import type { MessageQueue } from "../../message/message.ts";
import type { ReceivedMessage } from "../../message/received-message.ts";
import { DLQ_PREFIX, RETRY_PREFIX } from "../../names/names.ts";
import type { Namespace } from "../../names/namespace.ts";

/** `dead`: nothing was done about it. The others are not listed any more, and stay in the log until it is cleaned. */
export type DeadLetterState = "dead" | "redriven" | "deleted";

export interface DeadLetter {
  /** Whose dead letter it is. */
  readonly group: string;
  readonly state: DeadLetterState;
  /** The id its producer gave it. */
  readonly msgId: string;
  /** The id of the dead letter itself: where it lies now. */
  readonly offsetMsgId: string;
  /** Where it lay when it was stored first; absent when it was sent to the dead-letter topic by hand. */
  readonly originMsgId?: string;
  readonly originTopic?: string;
  readonly keys: readonly string[];
  readonly tag?: string;
  /** What the listener said last, when that is known. */
  readonly reason?: string;
  /** Milliseconds since the epoch: by its producer's clock, and by the broker's when it became a dead letter. */
  readonly bornTimestamp: number;
  readonly diedTimestamp: number;
  /** How often it was consumed in vain. */
  readonly attempts: number;
  /** How often it was redriven before it died again. */
  readonly redrives: number;
  readonly queue: MessageQueue;
  readonly queueOffset: number;
  /** With its body and properties. */
  readonly message: ReceivedMessage;
}

/** `group`: without its namespace. */
export function deadLetterOf(
  group: string,
  message: ReceivedMessage,
  state: DeadLetterState,
  namespace: Namespace,
): DeadLetter {
  const { properties } = message;
  const property = (...names: string[]): string | undefined =>
    names.map((name) => properties[name]).find((value) => value !== undefined && value !== "");
  const topic = originTopicOf(property);
  const originTopic = topic === undefined ? undefined : namespace.unwrap(topic);
  const originMsgId = property(MessageConst.DLQ_ORIGIN_MESSAGE_ID, MessageConst.ORIGIN_MESSAGE_ID);
  const reason = property(OrbitProperty.FAILURE);
  return {
    group,
    state,
    msgId: message.msgId,
    offsetMsgId: message.offsetMsgId,
    ...(originMsgId === undefined ? {} : { originMsgId }),
    ...(originTopic === undefined ? {} : { originTopic }),
    keys: message.keys,
    ...(message.tag === undefined ? {} : { tag: message.tag }),
    ...(reason === undefined ? {} : { reason }),
    bornTimestamp: message.bornTimestamp,
    diedTimestamp: message.storeTimestamp,
    attempts: message.reconsumeTimes,
    redrives: redrivesOf(properties[OrbitProperty.REDRIVES]),
    queue: message.queue,
    queueOffset: message.queueOffset,
    message,
  };
}

/** The topic it was consumed from; `undefined` when none is told, or what is told is no topic to go back to. */
export function originTopicOf(property: (...names: string[]) => string | undefined): string | undefined {
  const topic = property(MessageConst.DLQ_ORIGIN_TOPIC, MessageConst.RETRY_TOPIC);
  return topic?.startsWith(RETRY_PREFIX) === true || topic?.startsWith(DLQ_PREFIX) === true
    ? undefined
    : topic;
}

/** Any client can set the property. */
export function redrivesOf(text: string | undefined): number {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : 0;
}
