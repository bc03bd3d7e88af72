/**
 * QUERY_DATA_VERSION (322): tells a broker whether the table lacks its current version, so that it can spare
 * itself a full registration; a sign of life, too.
 */
import type { Clock } from "@orbitmq/host";
import {
  encodeDataVersion,
  parseDataVersion,
  queryDataVersionRequestHeader,
  queryDataVersionResponseHeader,
  type RequestHandler,
  ResponseCode,
  sameDataVersion,
} from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

export function queryDataVersion({ table, clock }: { table: RouteTable; clock: Clock }): RequestHandler {
  return (request, exchange) => {
    const { clusterName, brokerAddr } = queryDataVersionRequestHeader.decode(request.ext);
    const asked = parseDataVersion(request.body);
    const known = table.dataVersion(clusterName, brokerAddr);
    table.heartbeat(clusterName, brokerAddr, clock.monotonicMs());
    const changed = known === undefined || !sameDataVersion(known, asked);
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => queryDataVersionResponseHeader.encode({ changed }, sink),
      body: known === undefined ? undefined : [encodeDataVersion(known)],
    });
  };
}
