/**
 * QUERY_CONSUMER_OFFSET (14): how far a group has consumed a queue; 22 when it has committed nothing there. A
 * group without an offset is told 0 while the queue's very first message is still in memory, unless it asks
 * not to be (RocketMQ's way of not losing the first messages for a group that starts at the end).
 */
import type { MessageStore } from "@orbitmq/store";
import {
  queryConsumerOffsetRequestHeader,
  queryConsumerOffsetResponseHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";

export interface QueryConsumerOffsetNeeds {
  readonly store: MessageStore;
  readonly offsets: OffsetRegistry;
}

export function queryConsumerOffset({ store, offsets }: QueryConsumerOffsetNeeds): RequestHandler {
  return (request, exchange) => {
    const header = queryConsumerOffsetRequestHeader.decode(request.ext);
    const { consumerGroup, topic, queueId, setZeroIfNotFound } = header;
    let offset = offsets.get(consumerGroup, topic, queueId);
    if (offset === undefined) {
      if (setZeroIfNotFound === false) {
        throw new Refusal(
          ResponseCode.QUERY_NOT_FOUND,
          "Not found, do not set to zero, maybe this group boot first",
        );
      }
      if (store.minOffset(topic, queueId) > 0 || !store.isInMemory(topic, queueId, 0)) {
        throw new Refusal(ResponseCode.QUERY_NOT_FOUND, "Not found, maybe this group consumer boot first");
      }
      offset = 0;
    }
    const found = offset;
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => queryConsumerOffsetResponseHeader.encode({ offset: found }, sink),
    });
  };
}
