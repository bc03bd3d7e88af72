/**
 * VIEW_BROKER_STATS_DATA (315): one of a broker's counters over the last minute, hour and day (RocketMQ:
 * BrokerStatsData).
 *
 *   request   statsName statsKey
 *   body      {"statsDay":{"avgpt":0.0,"sum":0,"tps":0.0},"statsHour":{…},"statsMinute":{…}}
 */

import { defineHeader, type HeaderValue, string } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";

export const viewBrokerStatsDataRequestHeader = defineHeader("ViewBrokerStatsDataRequestHeader", {
  statsName: string(),
  statsKey: string(),
});
export type ViewBrokerStatsDataRequestHeader = HeaderValue<typeof viewBrokerStatsDataRequestHeader>;

export interface BrokerStatsItem {
  readonly sum: number;
  /** Per second. */
  readonly tps: number;
  /** Sum by number of times. */
  readonly avgpt: number;
}

export interface BrokerStatsData {
  readonly statsMinute: BrokerStatsItem;
  readonly statsHour: BrokerStatsItem;
  readonly statsDay: BrokerStatsItem;
}

export function encodeBrokerStatsData(value: BrokerStatsData): Uint8Array {
  return encodeFastjson(value);
}

/** Throws WireError JSON_MALFORMED. */
export function parseBrokerStatsData(bytes: Uint8Array): BrokerStatsData {
  const body = parseJsonObject(bytes, "BrokerStatsData");
  return {
    statsMinute: itemFromJson(body.object("statsMinute")),
    statsHour: itemFromJson(body.object("statsHour")),
    statsDay: itemFromJson(body.object("statsDay")),
  };
}

function itemFromJson(json: JsonObject): BrokerStatsItem {
  return {
    sum: json.integer("sum", 0),
    tps: json.optionalNumber("tps") ?? 0,
    avgpt: json.optionalNumber("avgpt") ?? 0,
  };
}
