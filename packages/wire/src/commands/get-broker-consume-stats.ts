/**
 * GET_BROKER_CONSUME_STATS (317): 208 for every group of a broker (RocketMQ: ConsumeStatsList).
 *
 *   request   isOrder                       true: only topics that are ordered
 *   body      {"brokerAddr","consumeStatsList":[{"<group>":[ConsumeStats]}],"totalDiff","totalInflightDiff"}
 */

import { bool, defineHeader, type HeaderValue } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";
import { type ConsumeStats, consumeStatsFromJson, consumeStatsToJson } from "./get-consume-stats.ts";

export const getBrokerConsumeStatsRequestHeader = defineHeader("GetConsumeStatsInBrokerHeader", {
  isOrder: bool(),
});
export type GetBrokerConsumeStatsRequestHeader = HeaderValue<typeof getBrokerConsumeStatsRequestHeader>;

export interface BrokerConsumeStats {
  readonly brokerAddr: string;
  /** group → one entry per topic */
  readonly groups: ReadonlyMap<string, readonly ConsumeStats[]>;
  /** Messages not consumed yet. */
  readonly totalDiff: number;
  /** Messages handed out and not committed. */
  readonly totalInflightDiff: number;
}

export function encodeBrokerConsumeStats(value: BrokerConsumeStats): Uint8Array {
  return encodeFastjson({
    brokerAddr: value.brokerAddr,
    consumeStatsList: [...value.groups].map(
      ([group, stats]) => new Map([[group, stats.map(consumeStatsToJson)]]),
    ),
    totalDiff: value.totalDiff,
    totalInflightDiff: value.totalInflightDiff,
  });
}

/** Throws WireError JSON_MALFORMED. */
export function parseBrokerConsumeStats(bytes: Uint8Array): BrokerConsumeStats {
  const body = parseJsonObject(bytes, "ConsumeStatsList");
  const groups = new Map<string, ConsumeStats[]>();
  for (const item of body.objectList("consumeStatsList"))
    for (const group of item.keys())
      groups.set(group, [...(groups.get(group) ?? []), ...item.objectList(group).map(consumeStatsFromJson)]);
  return {
    brokerAddr: body.optionalString("brokerAddr") ?? "",
    groups,
    totalDiff: body.integer("totalDiff", 0),
    totalInflightDiff: body.integer("totalInflightDiff", 0),
  };
}
