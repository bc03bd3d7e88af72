/**
 * GET_CONSUMER_CONNECTION_LIST (203): who is online in a consumer group, and what it subscribes to (RocketMQ:
 * ConsumerConnection).
 *
 *   request   consumerGroup
 *   body      {"connectionSet":[{"clientAddr","clientId","language","version"}],"consumeFromWhere",
 *             "consumeType","messageModel","subscriptionTable":{"<topic>":SubscriptionData}}
 */

import {
  type SubscriptionData,
  subscriptionDataFromJson,
  subscriptionDataToJson,
} from "../bodies/subscription-data.ts";
import { defineHeader, type HeaderValue, name } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";
import { languageName } from "../tables/language-code.ts";

export const getConsumerConnectionListRequestHeader = defineHeader("GetConsumerConnectionListRequestHeader", {
  consumerGroup: name(),
});
export type GetConsumerConnectionListRequestHeader = HeaderValue<
  typeof getConsumerConnectionListRequestHeader
>;

/** One client's connection (RocketMQ: Connection). */
export interface ClientConnection {
  readonly clientId: string;
  /** `host:port` as the broker sees it. */
  readonly clientAddr: string;
  /** A LanguageCode's name. */
  readonly language: string;
  /** An MQVersion ordinal. */
  readonly version: number;
}

export interface ConsumerConnection {
  readonly connections: readonly ClientConnection[];
  readonly consumeType: string;
  readonly messageModel: string;
  readonly consumeFromWhere: string;
  readonly subscriptions: ReadonlyMap<string, SubscriptionData>;
}

/** The name a connection's language has in JSON; OTHER for one nobody knows. */
export function connectionLanguage(code: number): string {
  return languageName(code) ?? "OTHER";
}

export function clientConnectionFromJson(json: JsonObject): ClientConnection {
  return {
    clientId: json.string("clientId"),
    clientAddr: json.string("clientAddr"),
    language: json.optionalString("language") ?? "OTHER",
    version: json.integer("version", 0),
  };
}

export function encodeConsumerConnection(value: ConsumerConnection): Uint8Array {
  const subscriptionTable = new Map<string, object>();
  for (const [topic, data] of value.subscriptions) subscriptionTable.set(topic, subscriptionDataToJson(data));
  return encodeFastjson({
    connectionSet: value.connections,
    consumeFromWhere: value.consumeFromWhere,
    consumeType: value.consumeType,
    messageModel: value.messageModel,
    subscriptionTable,
  });
}

/** Throws WireError JSON_MALFORMED. */
export function parseConsumerConnection(bytes: Uint8Array): ConsumerConnection {
  const body = parseJsonObject(bytes, "ConsumerConnection");
  return {
    connections: body.objectList("connectionSet").map(clientConnectionFromJson),
    consumeType: body.optionalString("consumeType") ?? "",
    messageModel: body.optionalString("messageModel") ?? "",
    consumeFromWhere: body.optionalString("consumeFromWhere") ?? "",
    subscriptions: new Map(
      body
        .object("subscriptionTable")
        .objects()
        .map(([topic, data]) => [topic, subscriptionDataFromJson(data)]),
    ),
  };
}
