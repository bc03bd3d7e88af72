/** GET_BROKER_HA_STATUS (907): a master without slaves, with the end of its log. */
import type { MessageStore } from "@orbitmq/store";
import { encodeHaStatus, type RequestHandler, ResponseCode } from "@orbitmq/wire";

export function getBrokerHaStatus({ store }: { store: Pick<MessageStore, "status"> }): RequestHandler {
  return (_request, exchange) => {
    const body = encodeHaStatus({
      master: true,
      masterCommitLogMaxOffset: store.status().writtenOffset,
      inSyncSlaveNums: 0,
      haConnectionInfo: [],
    });
    exchange.reply({ code: ResponseCode.SUCCESS, body: [body] });
  };
}
