/**
 * GET_CONSUMER_LIST_BY_GROUP (38): the client ids in a group, for rebalance.
 *
 *   request   consumerGroup
 *   body      {"consumerIdList":["ip@pid", …]}     or SYSTEM_ERROR (1) when the group has nobody
 */

import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export const getConsumerListByGroupRequestHeader = defineHeader("GetConsumerListByGroupRequestHeader", {
  consumerGroup: name(),
});
export type GetConsumerListByGroupRequestHeader = HeaderValue<typeof getConsumerListByGroupRequestHeader>;

export function encodeConsumerList(consumerIdList: readonly string[]): Uint8Array {
  return encodeFastjson({ consumerIdList });
}

/** Throws WireError JSON_MALFORMED. */
export function parseConsumerList(bytes: Uint8Array): string[] {
  return parseJsonObject(bytes, "GetConsumerListByGroupResponseBody").strings("consumerIdList");
}
