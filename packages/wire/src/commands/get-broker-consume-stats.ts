/**
 * GET_BROKER_CONSUME_STATS (317): 208 for every group of a broker (RocketMQ: ConsumeStatsList).
 *
 *   request   isOrder                       true: only topics that are ordered
 *   body      {"brokerAddr","consumeStatsList":[{"<group>":[ConsumeStats]}],"totalDiff","totalInflightDiff"}
 */

import { bool, defineHeader, type HeaderValue } from "../frame/header-schema.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { type ConsumeStats, consumeStatsToJson } from "./get-consume-stats.ts";

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
