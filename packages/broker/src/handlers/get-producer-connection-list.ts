/** GET_PRODUCER_CONNECTION_LIST (204): who is online in a producer group; 1 when nobody is. */
import {
  connectionLanguage,
  encodeProducerConnection,
  getProducerConnectionListRequestHeader,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";

export function getProducerConnectionList({ producers }: { producers: ProducerGroups }): RequestHandler {
  return (request, exchange) => {
    const { producerGroup } = getProducerConnectionListRequestHeader.decode(request.ext);
    const members = producers.members(producerGroup);
    if (members.length === 0) {
      throw new Refusal(ResponseCode.SYSTEM_ERROR, `the producer group[${producerGroup}] not exist`);
    }
    const connections = members.map(({ peer, clientId }) => ({
      clientId,
      clientAddr: peer.address,
      language: connectionLanguage(peer.language),
      version: peer.version,
    }));
    exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeProducerConnection(connections)] });
  };
}
