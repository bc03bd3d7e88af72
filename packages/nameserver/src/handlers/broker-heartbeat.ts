/** BROKER_HEARTBEAT (904): a sign of life; an unknown broker is answered SUCCESS too, as in RocketMQ. */
import type { Clock } from "@orbitmq/host";
import { brokerHeartbeatRequestHeader, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

export function brokerHeartbeat({ table, clock }: { table: RouteTable; clock: Clock }): RequestHandler {
  return (request, exchange) => {
    const header = brokerHeartbeatRequestHeader.decode(request.ext);
    table.heartbeat(header.clusterName, header.brokerAddr, clock.monotonicMs());
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
