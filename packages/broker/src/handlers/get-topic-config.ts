/** GET_TOPIC_CONFIG (351): one topic; 17 for an unknown one. */
import {
  encodeFastjson,
  getTopicConfigRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export function getTopicConfig({ topics }: { topics: TopicRegistry }): RequestHandler {
  return (request, exchange) => {
    const { topic } = getTopicConfigRequestHeader.decode(request.ext);
    const config = topics.get(topic);
    if (config === undefined) {
      throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `No topic in this broker. topic: ${topic}`);
    }
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeFastjson(config)] });
  };
}
