/** GET_CONSUMER_RUNNING_INFO (307): passed on to the consumer; 1 when it is not online, 207 when it does not answer. */
import { getConsumerRunningInfoRequestHeader, RequestCode, type RequestHandler } from "@orbitmq/wire";
import { callConsumer, fieldsOf } from "../calling/call-consumer.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";

export function getConsumerRunningInfo({ consumers }: { consumers: ConsumerGroups }): RequestHandler {
  return (request, exchange) => {
    const { consumerGroup, clientId } = getConsumerRunningInfoRequestHeader.decode(request.ext);
    const code = RequestCode.GET_CONSUMER_RUNNING_INFO;
    const call = { code, group: consumerGroup, clientId, ext: fieldsOf(request), body: undefined };
    callConsumer(consumers, call, exchange);
  };
}
