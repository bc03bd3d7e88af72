/**
 * GET_CONSUME_STATS (208): how far a group has consumed the topics asked for, else those it has offsets of. What
 * an online group does not subscribe to is left out unless it is in `topicList`; so are unknown topics.
 */
import {
  type ConsumeOffset,
  encodeConsumeStats,
  getConsumeStatsRequestHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import {
  type ConsumeProgressNeeds,
  consumeProgress,
  inTurn,
  isConsumed,
} from "../consumer-groups/consume-progress.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface GetConsumeStatsNeeds extends ConsumeProgressNeeds {
  readonly topics: TopicRegistry;
  readonly consumers: ConsumerGroups;
  readonly stats: BrokerStats;
}

export function getConsumeStats(needs: GetConsumeStatsNeeds): RequestHandler {
  const { topics, consumers, offsets, stats } = needs;
  return (request, exchange) => {
    const { consumerGroup, topic, topicList } = getConsumeStatsRequestHeader.decode(request.ext);
    const listed = (topicList ?? "").split(";").filter(Boolean);
    const asked =
      listed.length > 0
        ? listed
        : (topic === undefined ? offsets.offsets.topicsOf(consumerGroup) : [topic]).filter((each) =>
            isConsumed(consumers, consumerGroup, each),
          );
    const found: ConsumeOffset[] = [];
    let consumeTps = 0;
    inTurn(
      [...new Set(asked)],
      (each, next) => {
        const config = topics.get(each);
        if (config === undefined) {
          next();
          return;
        }
        consumeTps += stats.named.tps("GROUP_GET_NUMS", `${each}@${consumerGroup}`);
        consumeProgress(needs, consumerGroup, config, (progress) => {
          found.push(...progress);
          next();
        });
      },
      () =>
        exchange.reply({
          code: ResponseCode.SUCCESS,
          body: [encodeConsumeStats({ consumeTps, offsets: found })],
        }),
    );
  };
}
