/**
 * GET_CONSUMER_LIST_BY_GROUP (38): the ids of a group's members, for rebalance; 1 when nobody is online. Every member
 * asks after every change: the answer is encoded once per change, or a group of thousands would cost millions of ids.
 */
import {
  encodeConsumerList,
  getConsumerListByGroupRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ConsumerGroup, ConsumerGroups } from "../consumer-groups/consumer-groups.ts";

export function getConsumerListByGroup({ consumers }: { consumers: ConsumerGroups }): RequestHandler {
  const encoded = new WeakMap<ConsumerGroup, { readonly version: number; readonly body: Uint8Array }>();
  const bodyOf = (group: ConsumerGroup): Uint8Array => {
    const known = encoded.get(group);
    if (known?.version === group.membersVersion) return known.body;
    const body = encodeConsumerList(consumers.clientIds(group.name));
    encoded.set(group, { version: group.membersVersion, body });
    return body;
  };
  return (request, exchange) => {
    const { consumerGroup } = getConsumerListByGroupRequestHeader.decode(request.ext);
    const group = consumers.get(consumerGroup);
    if (group === undefined) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `no consumer for this group, ${consumerGroup}`);
    }
    exchange.reply({ code: ResponseCode.SUCCESS, body: [bodyOf(group)] });
  };
}
