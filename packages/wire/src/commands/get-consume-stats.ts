/**
 * GET_CONSUME_STATS (208): how far a group has consumed, and how far it could (RocketMQ: ConsumeStats).
 *
 *   request   consumerGroup topic? topicList?          topicList: names joined by ";"
 *   body      {"consumeTps":0.0,"offsetTable":{{MessageQueue}:{"brokerOffset","consumerOffset","lastTimestamp",
 *             "pullOffset"}}}
 */

import { type MessageQueue, messageQueueFromJson } from "../bodies/message-queue.ts";
import { defineHeader, type HeaderValue, name, optional, string } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";

export const getConsumeStatsRequestHeader = defineHeader("GetConsumeStatsRequestHeader", {
  consumerGroup: name(),
  topic: optional(name()),
  topicList: optional(string()),
});
export type GetConsumeStatsRequestHeader = HeaderValue<typeof getConsumeStatsRequestHeader>;

export interface ConsumeOffset {
  readonly queue: MessageQueue;
  /** The end of what may be consumed. */
  readonly brokerOffset: number;
  readonly consumerOffset: number;
  /** The next offset that will be asked for. */
  readonly pullOffset: number;
  /** Store time of the last consumed message, ms; 0 when there is none. */
  readonly lastTimestamp: number;
}

export interface ConsumeStats {
  readonly consumeTps: number;
  readonly offsets: readonly ConsumeOffset[];
}

/** The members as fastjson writes them; also part of 317's answer. */
export function consumeStatsToJson({ consumeTps, offsets }: ConsumeStats): object {
  const offsetTable = new Map<MessageQueue, object>();
  for (const { queue, ...offset } of offsets) offsetTable.set(queue, offset);
  return { consumeTps, offsetTable };
}

export function encodeConsumeStats(value: ConsumeStats): Uint8Array {
  return encodeFastjson(consumeStatsToJson(value));
}

/** Throws WireError JSON_MALFORMED. */
export function parseConsumeStats(bytes: Uint8Array): ConsumeStats {
  return consumeStatsFromJson(parseJsonObject(bytes, "ConsumeStats"));
}

/** Throws WireError JSON_MALFORMED. */
export function consumeStatsFromJson(body: JsonObject): ConsumeStats {
  const offsets = body.objectKeyedEntries("offsetTable").map(([key, entry]) => ({
    queue: messageQueueFromJson(key),
    brokerOffset: entry.integer("brokerOffset", 0),
    consumerOffset: entry.integer("consumerOffset", 0),
    lastTimestamp: entry.integer("lastTimestamp", 0),
    pullOffset: entry.integer("pullOffset", 0),
  }));
  return { consumeTps: body.optionalNumber("consumeTps") ?? 0, offsets };
}
