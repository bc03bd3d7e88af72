/** UNLOCK_BATCH_MQ (42): a consumer gives back queues it consumed in order; what is not its own stays as it is. */
import { type RequestHandler, ResponseCode } from "@orbitmq/wire";
import type { LockKeeper } from "../consumer-groups/lock-keeper.ts";
import { checkedLockBody } from "./lock-batch-mq.ts";

export function unlockBatchMq({ lockKeeper }: { readonly lockKeeper: LockKeeper }): RequestHandler {
  return (request, exchange) => {
    const { consumerGroup, clientId, queues } = checkedLockBody(request.body);
    lockKeeper.unlock(consumerGroup, clientId, queues);
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
