/** GET_CONSUMER_CONNECTION_LIST (203): who is online in a consumer group; 206 when nobody is. */
import {
  connectionLanguage,
  encodeConsumerConnection,
  getConsumerConnectionListRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";

export function getConsumerConnectionList({ consumers }: { consumers: ConsumerGroups }): RequestHandler {
  return (request, exchange) => {
    const { consumerGroup } = getConsumerConnectionListRequestHeader.decode(request.ext);
    const group = consumers.get(consumerGroup);
    if (group === undefined) {
      throw new Refusal(ResponseCode.CONSUMER_NOT_ONLINE, `the consumer group[${consumerGroup}] not online`);
    }
    const connections = [...group.members.values()].map(({ peer, clientId }) => ({
      clientId,
      clientAddr: peer.address,
      language: connectionLanguage(peer.language),
      version: peer.version,
    }));
    const { consumeType, messageModel, consumeFromWhere, subscriptions } = group;
    const connection = { connections, consumeType, messageModel, consumeFromWhere, subscriptions };
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeConsumerConnection(connection)] });
  };
}
