/**
 * The version of a broker's topic table and other configuration (RocketMQ: DataVersion): `counter` grows with
 * every change, `timestamp` tells restarts apart, `stateVersion` is the controller's.
 */
import { encodeFastjson, formatFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";

export interface DataVersion {
  readonly stateVersion: number;
  /** Wall ms. */
  readonly timestamp: number;
  readonly counter: number;
}

/** The version of an empty table; `nowMs` is wall time. */
export function newDataVersion(nowMs: number): DataVersion {
  return { stateVersion: 0, timestamp: nowMs, counter: 0 };
}

/** The version after one more change. */
export function nextDataVersion(version: DataVersion, nowMs: number, stateVersion = 0): DataVersion {
  return { stateVersion, timestamp: nowMs, counter: version.counter + 1 };
}

export function sameDataVersion(a: DataVersion, b: DataVersion): boolean {
  return a.counter === b.counter && a.timestamp === b.timestamp && a.stateVersion === b.stateVersion;
}

export function dataVersionFromJson(json: JsonObject): DataVersion {
  return {
    stateVersion: json.integer("stateVersion", 0),
    timestamp: json.integer("timestamp", 0),
    counter: json.integer("counter", 0),
  };
}

export function encodeDataVersion(version: DataVersion): Uint8Array {
  return encodeFastjson(version);
}

export function formatDataVersion(version: DataVersion): string {
  return formatFastjson(version);
}

/** Throws WireError JSON_MALFORMED. */
export function parseDataVersion(source: Uint8Array | string): DataVersion {
  return dataVersionFromJson(parseJsonObject(source, "DataVersion"));
}
