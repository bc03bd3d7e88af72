/** VIEW_BROKER_STATS_DATA (315): one counter over the last minute, hour and day; 1 when there is no such counter. */
import {
  encodeBrokerStatsData,
  Refusal,
  type RequestHandler,
  ResponseCode,
  viewBrokerStatsDataRequestHeader,
} from "@orbitmq/wire";
import type { BrokerStats } from "../stats.ts";

export function viewBrokerStatsData({ stats }: { stats: BrokerStats }): RequestHandler {
  return (request, exchange) => {
    const { statsName, statsKey } = viewBrokerStatsDataRequestHeader.decode(request.ext);
    const data = stats.named.data(statsName, statsKey);
    if (data === undefined) {
      throw new Refusal(
        ResponseCode.SYSTEM_ERROR,
        `The stats <${statsName.slice(0, 256)}> <${statsKey.slice(0, 256)}> not exist`,
      );
    }
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeBrokerStatsData(data)] });
  };
}
