/**
 * INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223): how far each member of a group has consumed its queues of a topic;
 * the broker asks them (221 GET_CONSUMER_STATUS_FROM_CLIENT) (RocketMQ: GetConsumerStatusBody).
 *
 *   request of 223   topic group clientAddr?             clientAddr: a client id; absent: all members
 *   request of 221   topic group
 *   body of 221      {"consumerTable":{},"messageQueueTable":{{MessageQueue}:offset}}
 *   body of 223      {"consumerTable":{"<clientId>":{{MessageQueue}:offset}},"messageQueueTable":{}}
 */

import { defineHeader, type HeaderValue, name, optional, string } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";
import { type QueueOffsets, queueOffsetsFromJson } from "./reset-consumer-client-offset.ts";

export const getConsumerStatusRequestHeader = defineHeader("GetConsumerStatusRequestHeader", {
  topic: name(),
  group: name(),
  clientAddr: optional(string()),
});
export type GetConsumerStatusRequestHeader = HeaderValue<typeof getConsumerStatusRequestHeader>;

export function encodeConsumerStatus(byClient: ReadonlyMap<string, QueueOffsets>): Uint8Array {
  return encodeFastjson({ consumerTable: byClient, messageQueueTable: {} });
}

/** One client's answer to 221. */
export function encodeClientStatus(offsets: QueueOffsets): Uint8Array {
  return encodeFastjson({ consumerTable: {}, messageQueueTable: offsets });
}

/** What one client answered to 221. Throws WireError JSON_MALFORMED. */
export function parseClientStatus(bytes: Uint8Array): QueueOffsets {
  const what = "GetConsumerStatusBody";
  return queueOffsetsFromJson(parseJsonObject(bytes, what).raw("messageQueueTable"), what);
}

/** By client id. Throws WireError JSON_MALFORMED. */
export function parseConsumerStatus(bytes: Uint8Array): Map<string, QueueOffsets> {
  const what = "GetConsumerStatusBody";
  const table = parseJsonObject(bytes, what).object("consumerTable");
  return new Map(table.keys().map((clientId) => [clientId, queueOffsetsFromJson(table.raw(clientId), what)]));
}
