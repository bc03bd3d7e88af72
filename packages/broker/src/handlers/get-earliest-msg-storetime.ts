/** GET_EARLIEST_MSG_STORETIME (32): when the oldest message of a queue was stored; -1 when it has none. */
import type { MessageStore } from "@orbitmq/store";
import {
  getEarliestMsgStoretimeRequestHeader,
  getEarliestMsgStoretimeResponseHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";

export function getEarliestMsgStoretime({ store }: { store: MessageStore }): RequestHandler {
  return (request, exchange) => {
    const { topic, queueId } = getEarliestMsgStoretimeRequestHeader.decode(request.ext);
    store.storeTimestampAt(topic, queueId, store.minOffset(topic, queueId), (timestamp) =>
      exchange.reply({
        code: ResponseCode.SUCCESS,
        header: (sink) => getEarliestMsgStoretimeResponseHeader.encode({ timestamp }, sink),
      }),
    );
  };
}
