/** GET_CONSUMER_LIST_BY_GROUP (38): the ids of a group's members, for rebalance; 1 when nobody is online. */
import {
  encodeConsumerList,
  getConsumerListByGroupRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";

export function getConsumerListByGroup({ consumers }: { consumers: ConsumerGroups }): RequestHandler {
  return (request, exchange) => {
    const { consumerGroup } = getConsumerListByGroupRequestHeader.decode(request.ext);
    const clientIds = consumers.clientIds(consumerGroup);
    if (clientIds.length === 0) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `no consumer for this group, ${consumerGroup}`);
    }
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeConsumerList(clientIds)] });
  };
}
