/** GET_TOPIC_STATS_INFO (202): the offsets of each queue of a topic here, and when it last got a message. */
import type { MessageStore } from "@orbitmq/store";
import {
  encodeTopicStatsTable,
  getTopicStatsInfoRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
  type TopicOffset,
} from "@orbitmq/wire";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface GetTopicStatsInfoNeeds {
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly brokerName: string;
}

export function getTopicStatsInfo({ store, topics, brokerName }: GetTopicStatsInfoNeeds): RequestHandler {
  return (request, exchange) => {
    const { topic } = getTopicStatsInfoRequestHeader.decode(request.ext);
    const config = topics.get(topic);
    if (config === undefined) throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
    const queues = Math.max(config.writeQueueNums, config.readQueueNums);
    const offsets: TopicOffset[] = [];
    let missing = queues + 1;
    const countDown = (): void => {
      if (--missing > 0) return;
      exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeTopicStatsTable({ offsets })] });
    };
    for (let queueId = 0; queueId < queues; queueId++) {
      const queue = { topic, brokerName, queueId };
      const minOffset = store.minOffset(topic, queueId);
      const maxOffset = store.readableEnd(topic, queueId);
      offsets.push({ queue, minOffset, maxOffset, lastUpdateTimestamp: 0 });
      if (maxOffset === 0) {
        countDown();
        continue;
      }
      store.storeTimestampAt(topic, queueId, maxOffset - 1, (timestampMs) => {
        offsets[queueId] = { queue, minOffset, maxOffset, lastUpdateTimestamp: Math.max(0, timestampMs) };
        countDown();
      });
    }
    // A topic without queues, and one whose answers all came at once, are answered here.
    countDown();
  };
}
