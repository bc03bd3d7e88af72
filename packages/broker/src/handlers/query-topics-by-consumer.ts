/** QUERY_TOPICS_BY_CONSUMER (343): the topics a group has offsets of here. */
import {
  encodeConsumedTopics,
  queryTopicsByConsumerRequestHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";

export interface QueryTopicsByConsumerNeeds {
  readonly offsets: OffsetRegistry;
  readonly identity: BrokerIdentity;
}

export function queryTopicsByConsumer({ offsets, identity }: QueryTopicsByConsumerNeeds): RequestHandler {
  return (request, exchange) => {
    const { group } = queryTopicsByConsumerRequestHeader.decode(request.ext);
    const body = encodeConsumedTopics(offsets.offsets.topicsOf(group), identity.address);
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  };
}
