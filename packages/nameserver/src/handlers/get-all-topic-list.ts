/** GET_ALL_TOPIC_LIST_FROM_NAMESERVER (206): the names of all topics. */
import { encodeTopicList, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

export function getAllTopicList({ table }: { table: RouteTable }): RequestHandler {
  return (_request, exchange) => {
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeTopicList({ topicList: table.topics() })] });
  };
}
