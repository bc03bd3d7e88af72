/**
 * The queues one pop looks into, in order (RocketMQ: PopMessageProcessor): one random number r in 0…99 decides.
 * Below popFromRetryProbability the retry topic comes first, otherwise last; all read queues of a topic begin with
 * r mod their number. Messages that come again lie in one retry topic at most for each pop, because the offset lists
 * of the answer name topics by their type. In order nothing comes from a retry topic.
 */
import { popRetryTopicV1, popRetryTopicV2 } from "@orbitmq/wire";
import type { BrokerTuning } from "../broker-options.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface PopTargets {
  readonly size: number;
  topic(index: number): string;
  queueId(index: number): number;
}

export interface PopTargetsAsked {
  readonly topics: Pick<TopicRegistry, "get">;
  readonly options: Pick<
    BrokerTuning,
    "popFromRetryProbability" | "enableRetryTopicV2" | "retrieveMessageFromPopRetryTopicV1"
  >;
  readonly topic: string;
  readonly group: string;
  /** Negative: all. */
  readonly queueId: number;
  readonly order: boolean;
  /** 0…99. */
  readonly random: number;
}

export function popTargets(asked: PopTargetsAsked): PopTargets {
  const { topics, options, topic, queueId, order, random } = asked;
  const retryTopic = order ? undefined : retryTopicOf(asked);
  const retryQueues = retryTopic === undefined ? 0 : (topics.get(retryTopic)?.readQueueNums ?? 0);
  const queues = queueId < 0 ? (topics.get(topic)?.readQueueNums ?? 0) : 1;
  const isRetryFirst = random < options.popFromRetryProbability;
  const isRetry = (index: number): boolean => (isRetryFirst ? index < retryQueues : index >= queues);
  return {
    size: queues + retryQueues,
    topic: (index) => (isRetry(index) && retryTopic !== undefined ? retryTopic : topic),
    queueId: (index) => {
      const ofRetry = isRetry(index);
      if (queueId >= 0 && !ofRetry) return queueId;
      const before = ofRetry ? (isRetryFirst ? 0 : queues) : isRetryFirst ? retryQueues : 0;
      return (random + index - before) % (ofRetry ? retryQueues : queues);
    },
  };
}

function retryTopicOf({ options, random, topic, group }: PopTargetsAsked): string {
  if (!options.enableRetryTopicV2) return popRetryTopicV1(topic, group);
  const isV1 = options.retrieveMessageFromPopRetryTopicV1 && random % 2 === 0;
  return isV1 ? popRetryTopicV1(topic, group) : popRetryTopicV2(topic, group);
}
