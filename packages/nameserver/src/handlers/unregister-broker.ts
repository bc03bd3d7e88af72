/** UNREGISTER_BROKER (104): a broker that stops takes itself out of the route table. */
import type { Logger } from "@orbitmq/host";
import { type RequestHandler, ResponseCode, unregisterBrokerRequestHeader } from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

export function unregisterBroker({ table, logger }: { table: RouteTable; logger: Logger }): RequestHandler {
  return (request, exchange) => {
    const header = unregisterBrokerRequestHeader.decode(request.ext);
    if (table.unregister(header)) logger.info({ ...header }, "broker unregistered");
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
