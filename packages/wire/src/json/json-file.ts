/**
 * RocketMQ's small files of state (topics.json, consumerOffset.json, …) are JSON of the same dialect as bodies
 * and are read with the same typed reader.
 */
import { type JsonObject, parseJsonObject } from "./json-value.ts";

/** What a file, or an object within it, holds: see json-value. */
export type JsonFile = JsonObject;

/** `what` names the file in errors. Throws WireError JSON_MALFORMED unless `text` is an object. */
export function parseJsonFile(text: string | Uint8Array, what: string): JsonFile {
  return parseJsonObject(text, what);
}
