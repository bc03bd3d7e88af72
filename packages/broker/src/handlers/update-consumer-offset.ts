/** UPDATE_CONSUMER_OFFSET (15): commits an offset; 26 for an unknown group, 17 for an unknown topic. */
import { Refusal, type RequestHandler, ResponseCode, updateConsumerOffsetRequestHeader } from "@orbitmq/wire";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface UpdateConsumerOffsetNeeds {
  readonly topics: TopicRegistry;
  readonly groups: GroupRegistry;
  readonly offsets: OffsetRegistry;
}

export function updateConsumerOffset({ topics, groups, offsets }: UpdateConsumerOffsetNeeds): RequestHandler {
  return (request, exchange) => {
    const header = updateConsumerOffsetRequestHeader.decode(request.ext);
    const { consumerGroup, topic, queueId, commitOffset } = header;
    if (groups.get(consumerGroup) === undefined) {
      throw new Refusal(ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST, `Group ${consumerGroup} not exist!`);
    }
    const config = topics.get(topic);
    if (config === undefined) throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `Topic ${topic} not exist!`);
    // RocketMQ keeps an offset for any number; ours would let a client fill the table.
    if (queueId < 0 || queueId >= Math.max(config.readQueueNums, config.writeQueueNums)) {
      throw new Refusal(ResponseCode.INVALID_PARAMETER, `queueId[${queueId}] is illegal, topic is ${topic}`);
    }
    offsets.commit(consumerGroup, topic, queueId, commitOffset, exchange.peer.address);
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
