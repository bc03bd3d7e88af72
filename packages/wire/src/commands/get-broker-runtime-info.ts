/**
 * GET_BROKER_RUNTIME_INFO (28): a table of names and values (RocketMQ: KVTable), which mqadmin and dashboards
 * show; the same body answers a registration with the NameServer's ordered topics.
 *
 *   request   nothing
 *   body      {"table":{"name":"value", …}}
 */
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export type KvTable = ReadonlyMap<string, string>;

export function encodeKvTable(table: KvTable): Uint8Array {
  return encodeFastjson({ table });
}

/** Throws WireError JSON_MALFORMED. A body without a table is an empty one. */
export function parseKvTable(bytes: Uint8Array): Map<string, string> {
  return parseJsonObject(bytes, "KVTable").stringMap("table");
}
