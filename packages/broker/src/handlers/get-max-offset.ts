/**
 * GET_MAX_OFFSET (30): one past the last message of a queue that consumers may see. `committed=false` asks
 * RocketMQ for what is not yet safe; here nothing else is ever shown.
 */
import type { MessageStore } from "@orbitmq/store";
import {
  getMaxOffsetRequestHeader,
  getMaxOffsetResponseHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";

export function getMaxOffset({ store }: { store: MessageStore }): RequestHandler {
  return (request, exchange) => {
    const { topic, queueId } = getMaxOffsetRequestHeader.decode(request.ext);
    const offset = store.readableEnd(topic, queueId);
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => getMaxOffsetResponseHeader.encode({ offset }, sink),
    });
  };
}
