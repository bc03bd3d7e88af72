/** POLLING_INFO (200055): how many pops of a group wait for a queue; RocketMQ's checks, as POP_MESSAGE. */
import {
  pollingInfoRequestHeader,
  pollingInfoResponseHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import { checkBrokerReadable, checkPopTarget, type PopMessageNeeds } from "./pop-message.ts";

export function pollingInfo(needs: PopMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = pollingInfoRequestHeader.decode(request.ext);
    checkBrokerReadable(needs.options, "peeking message is forbidden");
    checkPopTarget(needs, header);
    const { consumerGroup, topic, queueId } = header;
    const pollingNum = needs.popping.pops.waiting(consumerGroup, topic, queueId);
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => pollingInfoResponseHeader.encode({ pollingNum }, sink),
    });
  };
}
