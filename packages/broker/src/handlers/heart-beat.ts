/**
 * HEART_BEAT (34): takes a client's producer and consumer groups into the tables of who is online, and makes
 * the retry topic of each consumer group. Answers that heartbeats of version 2 are understood, and whether the
 * client must send its subscriptions in full. A group that may not exist is passed over, as in RocketMQ.
 *
 * Members of one group that subscribe to different things are reported and counted; with `strictSubscription` the
 * later one is not taken into the group, and its heartbeat is answered 29.
 */
import type { Clock, Logger } from "@orbitmq/host";
import {
  type ConsumerData,
  heartBeatResponseHeader,
  newTopicConfig,
  parseHeartbeatData,
  Refusal,
  type RequestHandler,
  ResponseCode,
  TopicSysFlag,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { ConsumerGroups, ConsumerHeartbeat } from "../consumer-groups/consumer-groups.ts";
import type { GroupNotifier } from "../consumer-groups/group-notifier.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";
import type { FilterRegistry } from "../filters/filter-registry.ts";
import { retryTopicOf } from "../names.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface HeartBeatNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly clock: Clock;
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly consumers: ConsumerGroups;
  readonly filters: FilterRegistry;
  readonly producers: ProducerGroups;
  readonly notifier: GroupNotifier;
  readonly stats: BrokerStats;
  readonly logger: Logger;
}

/** Remarks and log lines are no place for kilobytes of expressions. */
const SHOWN_MAX = 512;

export function heartBeat(needs: HeartBeatNeeds): RequestHandler {
  const { clock, groups, consumers, producers, notifier } = needs;
  return (request, exchange) => {
    const heartbeat = parseHeartbeatData(request.body);
    const { peer } = exchange;
    const nowMs = clock.monotonicMs();
    const fingerprint = heartbeat.heartbeatFingerprint;
    let subChanged = fingerprint === 0;
    const refused: string[] = [];
    for (const consumer of heartbeat.consumerDataSet) {
      const group = groups.find(consumer.groupName);
      if (group === undefined) continue;
      const withoutSub = fingerprint !== 0 && heartbeat.withoutSub;
      const beat = { peer, clientId: heartbeat.clientID, consumer, fingerprint, withoutSub };
      if (needs.options.strictSubscription) {
        const others = consumers.differences(beat);
        if (others.length > 0) {
          refused.push(`group ${consumer.groupName} subscribes to ${shown(others)} already`);
          needs.stats.differingSubscriptions++;
          continue;
        }
      }
      keepRetryTopic(needs, consumer, group.retryQueueNums, heartbeat.withoutSub);
      const outcome = consumers.heartbeat(beat, nowMs);
      if (!withoutSub) needs.filters.register(consumer.groupName, consumer.subscriptionDataSet);
      if (outcome.differs) report(needs, beat);
      if (outcome.changed) notifier.groupChanged(consumer.groupName);
      subChanged ||= outcome.subChanged;
    }
    for (const group of heartbeat.producerGroups) producers.heartbeat(group, peer, heartbeat.clientID, nowMs);
    if (refused.length > 0) {
      throw new Refusal(ResponseCode.INVALID_PARAMETER, `strictSubscription: ${refused.join("; ")}`);
    }
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) =>
        heartBeatResponseHeader.encode({ IS_SUPPORT_HEART_BEAT_V2: true, IS_SUB_CHANGE: subChanged }, sink),
    });
  };
}

/** Once per change. */
function report(
  { consumers, stats, logger }: HeartBeatNeeds,
  { peer, clientId, consumer }: ConsumerHeartbeat,
): void {
  stats.differingSubscriptions++;
  const texts = consumers.get(consumer.groupName)?.texts;
  const text = consumers.get(consumer.groupName)?.members.get(peer)?.subscriptionText ?? "";
  logger.warn(
    {
      group: consumer.groupName,
      clientId,
      peer: peer.address,
      subscribesTo: text.slice(0, SHOWN_MAX),
      othersTo: shown(texts?.others(text) ?? []),
    },
    "members of one consumer group subscribe to different things: some of them miss messages",
  );
}

function shown(texts: readonly string[]): string {
  return texts.slice(0, 3).join(" | ").slice(0, SHOWN_MAX);
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
