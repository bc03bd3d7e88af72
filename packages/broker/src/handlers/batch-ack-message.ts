/**
 * BATCH_ACK_MESSAGE (200151): popped messages are consumed; answered once that is as durable as an acknowledged send.
 *
 *   208  the body has none        13  not one of them is a popped message of ours whose time is not over
 *   2, 14  the store takes nothing now: what was not acknowledged stays invisible for its time
 *
 * Those that are no popped messages are passed over when others are.
 */
import {
  type BatchAck,
  POP_ORDER_REVIVE_QUEUE,
  parseBatchAckBody,
  popTopicOfType,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import { refusalCodes } from "../sending/refusals.ts";
import { type AckMessageNeeds, AckReply } from "./ack-message.ts";

export function batchAckMessage(needs: AckMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const { options, popping } = needs;
    const body = request.body.length === 0 ? undefined : parseBatchAckBody(request.body);
    if (body === undefined || body.acks.length === 0) {
      throw new Refusal(ResponseCode.NO_MESSAGE, "no message is to be acknowledged");
    }
    const reply = new AckReply(needs, exchange);
    const isOurs = (body.brokerName ?? options.brokerName) === options.brokerName;
    let appended = 0;
    let inOrder = 0;
    for (const ack of isOurs ? body.acks : []) {
      const name = nameOf(ack);
      if (ack.reviveQueueId === POP_ORDER_REVIVE_QUEUE) {
        for (const offset of ack.offsets) if (popping.acknowledgeInOrder(name, offset)) inOrder++;
        continue;
      }
      const found = popping.find(name, ack.offsets);
      const bits = found === undefined ? 0 : found.open | found.acked;
      if (found === undefined || bits === 0) continue;
      const refused = popping.acknowledge(found.checkPoint, bits, reply.waiter);
      if (refused === undefined) {
        reply.expect();
        appended++;
      } else if (appended === 0) {
        throw new Refusal(refusalCodes[refused.reason], `${refused.reason}: ${refused.remark}`);
      } else {
        reply.refusedLater(refused);
        return;
      }
    }
    if (appended > 0) return;
    if (inOrder === 0) {
      throw new Refusal(
        ResponseCode.MESSAGE_ILLEGAL,
        "none of these messages was popped with such a handle, or their time is over",
      );
    }
    exchange.reply({ code: ResponseCode.SUCCESS });
  };
}

function nameOf(ack: BatchAck): Parameters<AckMessageNeeds["popping"]["find"]>[0] {
  return {
    group: ack.consumerGroup,
    topic: popTopicOfType(ack.topicType, ack.topic, ack.consumerGroup),
    queueId: ack.queueId,
    startOffset: ack.startOffset,
    popTime: ack.popTime,
  };
}
