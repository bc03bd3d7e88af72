/**
 * WIPE_WRITE_PERM_OF_BROKER (205) and ADD_WRITE_PERM_OF_BROKER (327): routes show a broker's topics without write
 * permission, and with what they were registered with again. What the broker itself allows does not change.
 */
import type { Logger } from "@orbitmq/host";
import {
  addWritePermOfBrokerRequestHeader,
  addWritePermOfBrokerResponseHeader,
  type RequestHandler,
  ResponseCode,
  wipeWritePermOfBrokerRequestHeader,
  wipeWritePermOfBrokerResponseHeader,
} from "@orbitmq/wire";
import type { RouteTable } from "../route-table.ts";

interface WritePermNeeds {
  readonly table: RouteTable;
  readonly logger: Logger;
}

export function wipeWritePermOfBroker({ table, logger }: WritePermNeeds): RequestHandler {
  return (request, exchange) => {
    const { brokerName } = wipeWritePermOfBrokerRequestHeader.decode(request.ext);
    const wipeTopicCount = table.setWiped(brokerName, true);
    logger.info({ brokerName, topics: wipeTopicCount, by: exchange.peer.address }, "write permission wiped");
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => wipeWritePermOfBrokerResponseHeader.encode({ wipeTopicCount }, sink),
    });
  };
}

export function addWritePermOfBroker({ table, logger }: WritePermNeeds): RequestHandler {
  return (request, exchange) => {
    const { brokerName } = addWritePermOfBrokerRequestHeader.decode(request.ext);
    const addTopicCount = table.setWiped(brokerName, false);
    logger.info({ brokerName, topics: addTopicCount, by: exchange.peer.address }, "write permission is back");
    exchange.reply({
      code: ResponseCode.SUCCESS,
      header: (sink) => addWritePermOfBrokerResponseHeader.encode({ addTopicCount }, sink),
    });
  };
}
