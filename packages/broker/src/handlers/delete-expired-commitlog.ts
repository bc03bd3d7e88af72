/**
 * DELETE_EXPIRED_COMMITLOG (329): removes segments older than fileReservedTime now, whatever deleteWhen says
 * (mqadmin deleteExpiredCommitLog). Answered at once; the work goes on behind it.
 */
import type { MessageStore } from "@orbitmq/store";
import { type RequestHandler, ResponseCode } from "@orbitmq/wire";

export interface DeleteExpiredCommitLogNeeds {
  readonly store: Pick<MessageStore, "deleteExpiredFiles">;
}

export function deleteExpiredCommitLog({ store }: DeleteExpiredCommitLogNeeds): RequestHandler {
  return (_request, exchange) => {
    store.deleteExpiredFiles();
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}
