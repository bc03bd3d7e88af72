/** UNREGISTER_CLIENT (35): a client leaves its producer group, its consumer group, or both. */
import { type RequestHandler, ResponseCode, unregisterClientRequestHeader } from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { GroupNotifier } from "../consumer-groups/group-notifier.ts";
import type { LockKeeper } from "../consumer-groups/lock-keeper.ts";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";

export interface UnregisterClientNeeds {
  readonly consumers: ConsumerGroups;
  readonly producers: ProducerGroups;
  readonly notifier: GroupNotifier;
  readonly lockKeeper: LockKeeper;
}

export function unregisterClient(needs: UnregisterClientNeeds): RequestHandler {
  const { consumers, producers, notifier, lockKeeper } = needs;
  return (request, exchange) => {
    const { clientID, producerGroup, consumerGroup } = unregisterClientRequestHeader.decode(request.ext);
    if (producerGroup !== undefined) producers.unregister(producerGroup, exchange.peer);
    if (consumerGroup !== undefined) {
      const isMember = consumers.get(consumerGroup)?.members.get(exchange.peer)?.clientId === clientID;
      for (const group of consumers.unregister(consumerGroup, exchange.peer))
        notifier.groupChanged(group.name);
      // A client unregisters when it consumes no more.
      if (isMember) lockKeeper.left(consumerGroup, clientID);
    }
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
