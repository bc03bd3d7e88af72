/** GET_SYSTEM_TOPIC_LIST_FROM_BROKER (305): the topics that are the system's on this broker. */
import { encodeTopicList, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { systemTopicNames } from "../names.ts";
import { isSystemTopic } from "../topics/system-topics.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface GetSystemTopicListNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly topics: TopicRegistry;
}

export function getSystemTopicListFromBroker({ options, topics }: GetSystemTopicListNeeds): RequestHandler {
  return (_request, exchange) => {
    const names = new Set(systemTopicNames());
    for (const topic of topics.topics.table.keys()) if (isSystemTopic(topic, options)) names.add(topic);
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeTopicList({ topicList: [...names] })] });
  };
}
