/** QUERY_TOPIC_CONSUME_BY_WHO (300): the groups that subscribe to a topic or have offsets of it. */
import {
  encodeGroupList,
  queryTopicConsumeByWhoRequestHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";

export interface QueryTopicConsumeByWhoNeeds {
  readonly consumers: ConsumerGroups;
  readonly offsets: OffsetRegistry;
}

export function queryTopicConsumeByWho({ consumers, offsets }: QueryTopicConsumeByWhoNeeds): RequestHandler {
  return (request, exchange) => {
    const { topic } = queryTopicConsumeByWhoRequestHeader.decode(request.ext);
    const groups = new Set([...consumers.subscribedTo(topic), ...offsets.offsets.groupsOf(topic)]);
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeGroupList(groups)] });
  };
}
