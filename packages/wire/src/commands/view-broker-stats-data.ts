/**
 * VIEW_BROKER_STATS_DATA (315): one of a broker's counters over the last minute, hour and day (RocketMQ:
 * BrokerStatsData).
 *
 *   request   statsName statsKey
 *   body      {"statsDay":{"avgpt":0.0,"sum":0,"tps":0.0},"statsHour":{…},"statsMinute":{…}}
 */

import { defineHeader, type HeaderValue, string } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";

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
