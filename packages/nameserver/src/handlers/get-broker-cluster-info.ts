/** GET_BROKER_CLUSTER_INFO (106): every cluster and broker, for administration. */
import { encodeClusterInfo, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

export function getBrokerClusterInfo({ table }: { table: RouteTable }): RequestHandler {
  return (_request, exchange) => {
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeClusterInfo(table.clusterInfo())] });
  };
}
