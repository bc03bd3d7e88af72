/**
 * GET_ROUTEINFO_BY_TOPIC (105): where a topic's queues are, or 17 when nobody serves it; with the order of an ordered
 * topic, when that is configured.
 */
import {
  encodeTopicRouteData,
  getRouteInfoRequestHeader,
  ORDER_TOPIC_CONFIG,
  quotesRouteKeys,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { KvConfig } from "../kv-config.ts";
import type { ResolvedNameServerOptions } from "../nameserver-options.ts";
import type { RouteTable } from "../route-table.ts";

interface GetRouteInfoNeeds {
  readonly table: RouteTable;
  readonly kv: Pick<KvConfig, "get">;
  readonly options: Pick<ResolvedNameServerOptions, "orderMessageEnable">;
}

export function getRouteInfo({ table, kv, options }: GetRouteInfoNeeds): RequestHandler {
  return (request, exchange) => {
    const header = getRouteInfoRequestHeader.decode(request.ext);
    const route = table.route(header.topic);
    if (route === undefined) {
      throw new Refusal(
        ResponseCode.TOPIC_NOT_EXIST,
        `No topic route info in name server for the topic: ${header.topic}`,
      );
    }
    const orderTopicConf = options.orderMessageEnable ? kv.get(ORDER_TOPIC_CONFIG, header.topic) : undefined;
    const shown = orderTopicConf === undefined ? route : { ...route, orderTopicConf };
    const body = encodeTopicRouteData(shown, quotesRouteKeys(header, request.version));
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  };
}
