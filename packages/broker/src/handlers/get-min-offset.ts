/** GET_MIN_OFFSET (31): the first offset of a queue that is still stored. */
import type { MessageStore } from "@orbitmq/store";
import {
  getMinOffsetRequestHeader,
  getMinOffsetResponseHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";

export function getMinOffset({ store }: { store: MessageStore }): RequestHandler {
  return (request, exchange) => {
    const { topic, queueId } = getMinOffsetRequestHeader.decode(request.ext);
    const offset = store.minOffset(topic, queueId);
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => getMinOffsetResponseHeader.encode({ offset }, sink),
    });
  };
}
