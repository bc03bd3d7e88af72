/** GET_BROKER_CONSUME_STATS (317): how far every group of this broker has consumed every topic it has offsets of. */
import {
  type ConsumeStats,
  encodeBrokerConsumeStats,
  getBrokerConsumeStatsRequestHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { BrokerIdentity } from "../broker-identity.ts";
import { consumeProgress, inTurn, isConsumed } from "../consumer-groups/consume-progress.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { GetConsumeStatsNeeds } from "./get-consume-stats.ts";

export interface GetBrokerConsumeStatsNeeds extends GetConsumeStatsNeeds {
  readonly groups: GroupRegistry;
  readonly identity: BrokerIdentity;
}

export function getBrokerConsumeStats(needs: GetBrokerConsumeStatsNeeds): RequestHandler {
  const { topics, consumers, offsets, groups, identity, stats } = needs;
  return (request, exchange) => {
    const { isOrder } = getBrokerConsumeStatsRequestHeader.decode(request.ext);
    const found = new Map<string, ConsumeStats[]>();
    const pairs: { readonly group: string; readonly topic: string }[] = [];
    for (const group of groups.groups.table.keys()) {
      found.set(group, []);
      for (const topic of offsets.offsets.topicsOf(group)) {
        if (isConsumed(consumers, group, topic)) pairs.push({ group, topic });
      }
    }
    let totalDiff = 0;
    inTurn(
      pairs,
      ({ group, topic }, next) => {
        const config = topics.get(topic);
        if (config === undefined || (isOrder && !config.order)) {
          next();
          return;
        }
        consumeProgress(needs, group, config, (progress) => {
          for (const { brokerOffset, consumerOffset } of progress) totalDiff += brokerOffset - consumerOffset;
          const consumeTps = stats.named.tps("GROUP_GET_NUMS", `${topic}@${group}`);
          found.get(group)?.push({ consumeTps, offsets: progress });
          next();
        });
      },
      () => {
        const stats = { brokerAddr: identity.address, groups: found, totalDiff, totalInflightDiff: 0 };
        exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeBrokerConsumeStats(stats)] });
      },
    );
  };
}
