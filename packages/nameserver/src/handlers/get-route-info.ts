/** GET_ROUTEINFO_BY_TOPIC (105): where a topic's queues are, or 17 when nobody serves it. */
import {
  encodeTopicRouteData,
  getRouteInfoRequestHeader,
  quotesRouteKeys,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

export function getRouteInfo({ table }: { table: RouteTable }): RequestHandler {
  return (request, exchange) => {
    const header = getRouteInfoRequestHeader.decode(request.ext);
    const route = table.route(header.topic);
    if (route === undefined) {
      throw new Refusal(
        ResponseCode.TOPIC_NOT_EXIST,
        `No topic route info in name server for the topic: ${header.topic}`,
      );
    }
    const body = encodeTopicRouteData(route, quotesRouteKeys(header, request.version));
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  };
}
