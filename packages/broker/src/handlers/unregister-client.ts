/** UNREGISTER_CLIENT (35): a client leaves its producer group, its consumer group, or both. */
import { type RequestHandler, ResponseCode, unregisterClientRequestHeader } from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { GroupNotifier } from "../consumer-groups/group-notifier.ts";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";

export interface UnregisterClientNeeds {
  readonly consumers: ConsumerGroups;
  readonly producers: ProducerGroups;
  readonly notifier: GroupNotifier;
}

export function unregisterClient({ consumers, producers, notifier }: UnregisterClientNeeds): RequestHandler {
  return (request, exchange) => {
    const { producerGroup, consumerGroup } = unregisterClientRequestHeader.decode(request.ext);
    if (producerGroup !== undefined) producers.unregister(producerGroup, exchange.peer);
    if (consumerGroup !== undefined) {
      for (const group of consumers.unregister(consumerGroup, exchange.peer))
        notifier.groupChanged(group.name);
    }
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
