/**
 * CLONE_GROUP_OFFSET (314): a group takes over another's offsets of one topic, or of all. Topics that are unknown,
 * or that the source is online for and does not subscribe to (unless `offline`), are passed over, as in RocketMQ.
 * 26 for a target that is no group.
 */
import { cloneGroupOffsetRequestHeader, Refusal, type RequestHandler, ResponseCode } from "@orbitmq/wire";
import { isConsumed } from "../consumer-groups/consume-progress.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface CloneGroupOffsetNeeds {
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly consumers: ConsumerGroups;
  readonly offsets: OffsetRegistry;
}

export function cloneGroupOffset(needs: CloneGroupOffsetNeeds): RequestHandler {
  const { topics, groups, consumers, offsets } = needs;
  return (request, exchange) => {
    const { srcGroup, destGroup, topic, offline } = cloneGroupOffsetRequestHeader.decode(request.ext);
    if (groups.find(destGroup) === undefined) {
      throw new Refusal(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${destGroup} not exist!`);
    }
    for (const each of topic === undefined ? offsets.offsets.topicsOf(srcGroup) : [topic]) {
      if (topics.get(each) === undefined) continue;
      if (offline !== true && !isConsumed(consumers, srcGroup, each)) continue;
      offsets.clone(srcGroup, destGroup, each, exchange.peer.address);
    }
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
