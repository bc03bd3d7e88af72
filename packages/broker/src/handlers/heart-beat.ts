/**
 * HEART_BEAT (34): takes a client's producer and consumer groups into the tables of who is online, and makes
 * the retry topic of each consumer group. Answers that heartbeats of version 2 are understood, and whether the
 * client must send its subscriptions in full. A group that may not exist is passed over, as in RocketMQ.
 */
import type { Clock } from "@orbitmq/host";
import {
  type ConsumerData,
  heartBeatResponseHeader,
  newTopicConfig,
  parseHeartbeatData,
  type RequestHandler,
  ResponseCode,
  TopicSysFlag,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { GroupNotifier } from "../consumer-groups/group-notifier.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";
import { retryTopicOf } from "../names.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface HeartBeatNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly clock: Clock;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly consumers: ConsumerGroups;
  readonly producers: ProducerGroups;
  readonly notifier: GroupNotifier;
}

export function heartBeat(needs: HeartBeatNeeds): RequestHandler {
  const { clock, groups, consumers, producers, notifier } = needs;
  return (request, exchange) => {
    const heartbeat = parseHeartbeatData(request.body);
    const { peer } = exchange;
    const nowMs = clock.monotonicMs();
    const fingerprint = heartbeat.heartbeatFingerprint;
    let subChanged = fingerprint === 0;
    for (const consumer of heartbeat.consumerDataSet) {
      const group = groups.find(consumer.groupName);
      if (group === undefined) continue;
      keepRetryTopic(needs, consumer, group.retryQueueNums, heartbeat.withoutSub);
      const outcome = consumers.heartbeat(
        {
          peer,
          clientId: heartbeat.clientID,
          consumer,
          fingerprint,
          withoutSub: fingerprint !== 0 && heartbeat.withoutSub,
        },
        nowMs,
      );
      if (outcome.changed) notifier.groupChanged(consumer.groupName);
      subChanged ||= outcome.subChanged;
    }
    for (const group of heartbeat.producerGroups) producers.heartbeat(group, peer, heartbeat.clientID, nowMs);
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) =>
        heartBeatResponseHeader.encode({ IS_SUPPORT_HEART_BEAT_V2: true, IS_SUB_CHANGE: subChanged }, sink),
    });
  };
}

/** The retry topic is ordered when the group subscribes to an ordered topic. */
function keepRetryTopic(
  { options, topics }: HeartBeatNeeds,
  consumer: ConsumerData,
  queues: number,
  withoutSub: boolean,
): void {
  const name = retryTopicOf(consumer.groupName);
  const known = topics.get(name);
  const order = consumer.subscriptionDataSet.some(({ topic }) => topics.get(topic)?.order === true);
  if (known === undefined) {
    if (topics.topics.size >= options.topicsMax) return;
    const topicSysFlag = consumer.unitMode ? TopicSysFlag.UNIT_SUB : 0;
    topics.put(newTopicConfig(name, { readQueueNums: queues, writeQueueNums: queues, order, topicSysFlag }));
  } else if (known.order !== order && !withoutSub) topics.put({ ...known, order });
}
