/**
 * VIEW_MESSAGE_BY_ID (33): one message by its position in the CommitLog.
 *
 *    1  no message begins there
 */
import type { MessageStore } from "@orbitmq/store";
import { type RequestHandler, ResponseCode, viewMessageByIdRequestHeader } from "@orbitmq/wire";

export function viewMessageById({ store }: { store: MessageStore }): RequestHandler {
  return (request, exchange) => {
    const { offset } = viewMessageByIdRequestHeader.decode(request.ext);
    store.recordAt(offset, (record) => {
      if (record !== undefined) exchange.reply({ code: ResponseCode.SUCCESS, body: [record] });
      else {
        const remark = `can not find message by the offset, ${offset}`;
        exchange.reply({ code: ResponseCode.SYSTEM_ERROR, remark });
      }
    });
  };
}
