/**
 * INVOKE_BROKER_TO_GET_CONSUMER_STATUS (223): asks the members of a group (221) how far they have consumed a topic,
 * or one of them. Who does not answer is left out, as in RocketMQ; 1 when nobody is online.
 */
import {
  encodeConsumerStatus,
  getConsumerStatusRequestHeader,
  parseClientStatus,
  type QueueOffsets,
  Refusal,
  RequestCode,
  type RequestHandler,
  ResponseCode,
  WireError,
} from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";

/** RocketMQ: Broker2Client.getConsumeStatus. */
const TIMEOUT_MS = 5_000;

export function invokeBrokerToGetConsumerStatus({
  consumers,
}: {
  consumers: ConsumerGroups;
}): RequestHandler {
  return (request, exchange) => {
    const { topic, group, clientAddr } = getConsumerStatusRequestHeader.decode(request.ext);
    const members = [...(consumers.get(group)?.members.values() ?? [])];
    if (members.length === 0) {
      throw new Refusal(
        ResponseCode.SYSTEM_ERROR,
        `No Any Consumer online in the consumer group: [${group}]`,
      );
    }
    const asked = members.filter(({ clientId }) => clientAddr === undefined || clientId === clientAddr);
    const status = new Map<string, QueueOffsets>();
    let missing = asked.length + 1;
    const countDown = (): void => {
      if (--missing > 0) return;
      exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeConsumerStatus(status)] });
    };
    for (const { peer, clientId } of asked) {
      peer.request(
        {
          code: RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT,
          header: (sink) => getConsumerStatusRequestHeader.encode({ topic, group }, sink),
        },
        TIMEOUT_MS,
        (_error, response) => {
          const offsets = response?.code === ResponseCode.SUCCESS ? offsetsOf(response.body) : undefined;
          if (offsets !== undefined) status.set(clientId, offsets);
          countDown();
        },
      );
    }
    countDown();
  };
}

/** `undefined` for what is no answer. */
function offsetsOf(body: Uint8Array): QueueOffsets | undefined {
  try {
    return parseClientStatus(body);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
