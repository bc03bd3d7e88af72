/**
 * INVOKE_BROKER_TO_RESET_OFFSET (222): an administrator sets a group's offsets by time, and
 * RESET_CONSUMER_CLIENT_OFFSET (220): the broker tells the group's members so (RocketMQ: ResetOffsetBody,
 * ResetOffsetBodyForC).
 *
 *   request   topic group timestamp isForce queueId? offset?
 *             timestamp -1: the end; queueId -1: all queues; offset, with a queueId: this one
 *   body      {"offsetTable":{{MessageQueue}:offset}}        of 222's answer, and of 220
 *   body      {"offsetTable":[{"brokerName","offset","queueId","topic"}]}      of 220 to C++ clients
 */

import { type MessageQueue, messageQueueFromJson } from "../bodies/message-queue.ts";
import {
  bool,
  defineHeader,
  type HeaderValue,
  int32,
  int64,
  name,
  optional,
} from "../frame/header-schema.ts";
import { encodeFastjson, ObjectKeyedMap } from "../json/fastjson.ts";
import { JsonObject, parseJsonObject } from "../json/json-value.ts";
import { WireError } from "../wire-error.ts";

export const resetOffsetRequestHeader = defineHeader("ResetOffsetRequestHeader", {
  topic: name(),
  group: name(),
  /** Wall ms. */
  timestamp: int64(),
  /** Also forward. */
  isForce: optional(bool()),
  queueId: optional(int32()),
  offset: optional(int64()),
});
export type ResetOffsetRequestHeader = HeaderValue<typeof resetOffsetRequestHeader>;

export type QueueOffsets = ReadonlyMap<MessageQueue, number>;

export function encodeResetOffsetBody(offsets: QueueOffsets): Uint8Array {
  return encodeFastjson({ offsetTable: offsets });
}

export function encodeResetOffsetBodyForC(offsets: QueueOffsets): Uint8Array {
  return encodeFastjson({ offsetTable: [...offsets].map(([queue, offset]) => ({ ...queue, offset })) });
}

/** Throws WireError JSON_MALFORMED. */
export function parseResetOffsetBody(bytes: Uint8Array): QueueOffsets {
  return queueOffsetsFromJson(parseJsonObject(bytes, "ResetOffsetBody").raw("offsetTable"), "offsetTable");
}

/** A map from queues to offsets; absent is an empty one. Throws WireError JSON_MALFORMED. */
export function queueOffsetsFromJson(value: unknown, what: string): QueueOffsets {
  const offsets = new Map<MessageQueue, number>();
  if (!(value instanceof ObjectKeyedMap)) return offsets;
  for (const [key, offset] of value.entries) {
    if (!Number.isSafeInteger(offset))
      throw new WireError("JSON_MALFORMED", `${what}: an offset is no integer`);
    offsets.set(messageQueueFromJson(new JsonObject(key, what)), offset as number);
  }
  return offsets;
}
