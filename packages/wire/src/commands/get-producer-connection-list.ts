/**
 * GET_PRODUCER_CONNECTION_LIST (204): who is online in a producer group (RocketMQ: ProducerConnection).
 *
 *   request   producerGroup
 *   body      {"connectionSet":[{"clientAddr","clientId","language","version"}]}
 */
import { encodeFastjson } from "../fastjson.ts";
import { defineHeader, type HeaderValue, name } from "../header-schema.ts";
import { parseJsonObject } from "../json-value.ts";
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
