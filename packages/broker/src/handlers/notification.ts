/** NOTIFICATION (200054): waits until a pop would find something; RocketMQ's checks, as POP_MESSAGE. */
import { notificationRequestHeader, type RequestHandler } from "@orbitmq/wire";
import { checkBrokerReadable, checkPopTarget, type PopMessageNeeds, popFilter } from "./pop-message.ts";

export function notification(needs: PopMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = notificationRequestHeader.decode(request.ext);
    checkBrokerReadable(needs.options, "peeking message is forbidden");
    checkPopTarget(needs, header);
    const filter = popFilter(needs, header);
    needs.popping.notifyOf(header, exchange, typeof filter === "function" ? filter : undefined);
  };
}
