/**
 * GET_ALL_PRODUCER_INFO (328): every producer that is online, by group (RocketMQ: ProducerTableInfo).
 *
 *   request   nothing
 *   body      {"data":{"<group>":[{"clientId","language","lastUpdateTimestamp","remoteIP","version"}]}}
 */
import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";

export interface ProducerInfo {
  readonly clientId: string;
  /** `/host:port`, as Java prints an address. */
  readonly remoteIP: string;
  /** A LanguageCode's name. */
  readonly language: string;
  /** An MQVersion ordinal. */
  readonly version: number;
  /** Wall ms of its last heartbeat. */
  readonly lastUpdateTimestamp: number;
}

export type ProducerTable = ReadonlyMap<string, readonly ProducerInfo[]>;

export function encodeProducerTable(data: ProducerTable): Uint8Array {
  return encodeFastjson({ data });
}

function producerInfoFromJson(json: JsonObject): ProducerInfo {
  return {
    clientId: json.string("clientId"),
    remoteIP: json.optionalString("remoteIP") ?? "",
    language: json.optionalString("language") ?? "OTHER",
    version: json.integer("version", 0),
    lastUpdateTimestamp: json.integer("lastUpdateTimestamp", 0),
  };
}

/** Throws WireError JSON_MALFORMED. */
export function parseProducerTable(bytes: Uint8Array): Map<string, ProducerInfo[]> {
  const data = parseJsonObject(bytes, "ProducerTableInfo").object("data");
  return new Map(data.keys().map((group) => [group, data.objectList(group).map(producerInfoFromJson)]));
}
