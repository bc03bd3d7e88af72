/**
 * GET_TOPIC_STATS_INFO (202): the offsets of a topic's queues on one broker (RocketMQ: TopicStatsTable).
 *
 *   request   topic
 *   body      {"offsetTable":{{"brokerName":…,"queueId":…,"topic":…}:{"lastUpdateTimestamp":…,"maxOffset":…,
 *             "minOffset":…}, …},"topicPutTps":0.0}
 */

import { type MessageQueue, messageQueueFromJson } from "../bodies/message-queue.ts";
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const getTopicStatsInfoRequestHeader = defineHeader("GetTopicStatsInfoRequestHeader", {
  topic: name(),
});
export type GetTopicStatsInfoRequestHeader = HeaderValue<typeof getTopicStatsInfoRequestHeader>;

export interface TopicOffset {
  readonly queue: MessageQueue;
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Store time of the newest message, ms; 0 when there is none. */
  readonly lastUpdateTimestamp: number;
}

export interface TopicStatsTable {
  readonly offsets: readonly TopicOffset[];
  readonly topicPutTps?: number | undefined;
}

export function encodeTopicStatsTable(value: TopicStatsTable): Uint8Array {
  const offsetTable = new Map<MessageQueue, unknown>();
  for (const { queue, minOffset, maxOffset, lastUpdateTimestamp } of value.offsets) {
    offsetTable.set(queue, { lastUpdateTimestamp, maxOffset, minOffset });
  }
  return encodeFastjson({ offsetTable, topicPutTps: value.topicPutTps ?? 0 });
}

/** Throws WireError JSON_MALFORMED. */
export function parseTopicStatsTable(bytes: Uint8Array): TopicStatsTable {
  const body = parseJsonObject(bytes, "TopicStatsTable");
  const offsets: TopicOffset[] = [];
  for (const [key, entry] of body.objectKeyedEntries("offsetTable")) {
    offsets.push({
      queue: messageQueueFromJson(key),
      minOffset: entry.integer("minOffset"),
      maxOffset: entry.integer("maxOffset"),
      lastUpdateTimestamp: entry.integer("lastUpdateTimestamp"),
    });
  }
  return { offsets, topicPutTps: body.optionalNumber("topicPutTps") };
}
