/**
 * UPDATE_AND_CREATE_TOPIC_LIST (18): several topics, all or none, as 17 does it for one. RocketMQ stops at the first
 * that is as it was, answers success, and leaves out the others.
 */
import {
  type OutgoingResponse,
  parseTopicConfigList,
  Refusal,
  type RequestHandler,
  ResponseCode,
  type TopicConfig,
} from "@orbitmq/wire";
import { checkedTopic, putTopics, type UpdateAndCreateTopicNeeds } from "./update-and-create-topic.ts";

export function updateAndCreateTopicList(needs: UpdateAndCreateTopicNeeds): RequestHandler {
  const { options, topics } = needs;
  return (request, exchange) => {
    const configs = new Map<string, TopicConfig>();
    for (const wanted of parseTopicConfigList(request.body)) {
      const { topicName: topic, attributes, ...rest } = wanted;
      const config = checkedTopic(needs, { ...rest, topic, attributes: modification(attributes) });
      configs.set(topic, config);
    }
    const added = [...configs.keys()].filter((topic) => topics.get(topic) === undefined).length;
    if (topics.topics.size + added > options.topicsMax) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `the broker may have ${options.topicsMax} topics`);
    }
    putTopics(needs, [...configs.values()], (problem) => exchange.reply(answer(problem)));
  };
}

/** {"+a":"b","-c":""} as 17 says it: `+a=b,-c`. */
function modification(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .map(([key, value]) => (key.startsWith("-") ? key : `${key}=${value}`))
    .join(",");
}

const answer = (remark: string | undefined): OutgoingResponse =>
  remark === undefined ? { code: ResponseCode.SUCCESS } : { code: ResponseCode.SYSTEM_ERROR, remark };
