/**
 * CLEAN_EXPIRED_CONSUMEQUEUE (306): removes ConsumeQueue files whose messages are all gone (mqadmin
 * cleanExpiredCQ). Answered at once; the work goes on behind it. RocketMQ also forgets queues without messages,
 * which then start again at offset 0; here a queue always goes on where it was.
 */
import type { MessageStore } from "@orbitmq/store";
import { type RequestHandler, ResponseCode } from "@orbitmq/wire";

export interface CleanExpiredConsumeQueueNeeds {
  readonly store: Pick<MessageStore, "cleanExpiredConsumeQueues">;
}

export function cleanExpiredConsumeQueue({ store }: CleanExpiredConsumeQueueNeeds): RequestHandler {
  return (_request, exchange) => {
    store.cleanExpiredConsumeQueues();
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
