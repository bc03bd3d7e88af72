/** QUERY_SUBSCRIPTION_BY_CONSUMER (345): what a group subscribes to of a topic; nothing when it is not online. */
import {
  encodeConsumerSubscription,
  querySubscriptionByConsumerRequestHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";

export function querySubscriptionByConsumer({ consumers }: { consumers: ConsumerGroups }): RequestHandler {
  return (request, exchange) => {
    const { group, topic } = querySubscriptionByConsumerRequestHeader.decode(request.ext);
    const body = encodeConsumerSubscription(group, topic, consumers.subscription(group, topic));
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  };
}
