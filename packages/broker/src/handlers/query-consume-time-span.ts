/**
 * QUERY_CONSUME_TIME_SPAN (303): per queue of a topic, the times of its oldest and newest message, of the last one
 * a group has consumed, and how long the next one has been waiting. 17 for an unknown topic.
 */
import type { Clock } from "@orbitmq/host";
import type { MessageStore } from "@orbitmq/store";
import {
  encodeConsumeTimeSpans,
  type QueueTimeSpan,
  queryConsumeTimeSpanRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import { inTurn } from "../consumer-groups/consume-progress.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface QueryConsumeTimeSpanNeeds {
  readonly clock: Clock;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly offsets: OffsetRegistry;
  readonly brokerName: string;
}

export function queryConsumeTimeSpan(needs: QueryConsumeTimeSpanNeeds): RequestHandler {
  const { clock, store, topics, offsets, brokerName } = needs;
  return (request, exchange) => {
    const { topic, group } = queryConsumeTimeSpanRequestHeader.decode(request.ext);
    const config = topics.get(topic);
    if (config === undefined) throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist`);
    const queueIds = Array.from({ length: config.writeQueueNums }, (_, queueId) => queueId);
    const spans: QueueTimeSpan[] = [];
    inTurn(
      queueIds,
      (queueId, next) => {
        const min = store.minOffset(topic, queueId);
        const end = store.readableEnd(topic, queueId);
        const consumed = offsets.get(group, topic, queueId) ?? 0;
        const times: number[] = [];
        inTurn(
          [min, end - 1, consumed > 0 ? consumed - 1 : min, consumed],
          (offset, nextTime) =>
            store.storeTimestampAt(topic, queueId, offset, (timestampMs) => {
              times.push(timestampMs);
              nextTime();
            }),
          () => {
            const [minTimeStamp = -1, maxTimeStamp = -1, consumeTimeStamp = -1, nextMs = -1] = times;
            const messageQueue = { topic, brokerName, queueId };
            const delayTime = nextMs < 0 ? 0 : Math.max(0, clock.wallMs() - nextMs);
            spans.push({ messageQueue, minTimeStamp, maxTimeStamp, consumeTimeStamp, delayTime });
            next();
          },
        );
      },
      () => exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeConsumeTimeSpans(spans)] }),
    );
  };
}
