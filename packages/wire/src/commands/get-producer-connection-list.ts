/**
 * GET_PRODUCER_CONNECTION_LIST (204): who is online in a producer group (RocketMQ: ProducerConnection).
 *
 *   request   producerGroup
 *   body      {"connectionSet":[{"clientAddr","clientId","language","version"}]}
 */

import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";
import { type ClientConnection, clientConnectionFromJson } from "./get-consumer-connection-list.ts";

export const getProducerConnectionListRequestHeader = defineHeader("GetProducerConnectionListRequestHeader", {
  producerGroup: name(),
});
export type GetProducerConnectionListRequestHeader = HeaderValue<
  typeof getProducerConnectionListRequestHeader
>;

export function encodeProducerConnection(connections: readonly ClientConnection[]): Uint8Array {
  return encodeFastjson({ connectionSet: connections });
}

/** Throws WireError JSON_MALFORMED. */
export function parseProducerConnection(bytes: Uint8Array): ClientConnection[] {
  return parseJsonObject(bytes, "ProducerConnection")
    .objectList("connectionSet")
    .map(clientConnectionFromJson);
}
