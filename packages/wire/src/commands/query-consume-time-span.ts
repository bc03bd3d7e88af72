/**
 * QUERY_CONSUME_TIME_SPAN (303): from when to when a topic's queues reach, and how far behind a group is (RocketMQ:
 * QueryConsumeTimeSpanBody).
 *
 *   request   topic group
 *   body      {"consumeTimeSpanSet":[{"consumeTimeStamp","delayTime","maxTimeStamp","messageQueue",
 *             "minTimeStamp"}]}
 */

import { type MessageQueue, messageQueueFromJson } from "../bodies/message-queue.ts";
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const queryConsumeTimeSpanRequestHeader = defineHeader("QueryConsumeTimeSpanRequestHeader", {
  topic: name(),
  group: name(),
});
export type QueryConsumeTimeSpanRequestHeader = HeaderValue<typeof queryConsumeTimeSpanRequestHeader>;

/** Times are wall ms; -1 when there is no such message. */
export interface QueueTimeSpan {
  readonly messageQueue: MessageQueue;
  readonly minTimeStamp: number;
  readonly maxTimeStamp: number;
  /** Store time of the last consumed message. */
  readonly consumeTimeStamp: number;
  /** Age of the next message to consume, ms; 0 when there is none. */
  readonly delayTime: number;
}

export function encodeConsumeTimeSpans(spans: readonly QueueTimeSpan[]): Uint8Array {
  return encodeFastjson({ consumeTimeSpanSet: spans });
}

/** Throws WireError JSON_MALFORMED. */
export function parseConsumeTimeSpans(bytes: Uint8Array): QueueTimeSpan[] {
  return parseJsonObject(bytes, "QueryConsumeTimeSpanBody")
    .objectList("consumeTimeSpanSet")
    .map((span) => ({
      messageQueue: messageQueueFromJson(span.object("messageQueue")),
      minTimeStamp: span.integer("minTimeStamp", -1),
      maxTimeStamp: span.integer("maxTimeStamp", -1),
      consumeTimeStamp: span.integer("consumeTimeStamp", -1),
      delayTime: span.integer("delayTime", 0),
    }));
}
