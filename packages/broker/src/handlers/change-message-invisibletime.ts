/**
 * CHANGE_MESSAGE_INVISIBLETIME (200053): a popped message comes again so long from now: another checkpoint, and the
 * message of the one before counts as acknowledged. Answered once both are durable. In order the queue stays closed
 * accordingly.
 *
 *   17, 13, 208, 2, 14  as ACK_MESSAGE        29  a time that is negative or longer than popInvisibleTimeMillisMax
 *   13   it is acknowledged already
 */
import type { AppendOutcome } from "@orbitmq/store";
import {
  type ChangeInvisibleTimeRequestHeader,
  type ChangeInvisibleTimeResponseHeader,
  changeInvisibleTimeRequestHeader,
  changeInvisibleTimeResponseHeader,
  type Exchange,
  POP_ORDER_REVIVE_QUEUE,
  type ReceiptHandle,
  Refusal,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import { Appends, type Refused } from "../popping/revive-log.ts";
import { refusalCodes } from "../sending/refusals.ts";
import { type AckMessageNeeds, handleOf, over } from "./ack-message.ts";
import { checkInvisibleTime } from "./pop-message.ts";

export function changeMessageInvisibleTime(needs: AckMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = changeInvisibleTimeRequestHeader.decode(request.ext);
    const handle = handleOf(needs, header);
    checkInvisibleTime(needs.options, header.invisibleTime);
    if (handle.reviveQueueId === POP_ORDER_REVIVE_QUEUE) changeInOrder(needs, header, handle, exchange);
    else change(needs, header, handle, exchange);
  };
}

function changeInOrder(
  { popping }: AckMessageNeeds,
  header: ChangeInvisibleTimeRequestHeader,
  handle: ReceiptHandle,
  exchange: Exchange,
): void {
  const { consumerGroup: group, topic, queueId, offset, invisibleTime } = header;
  const { popTime } = handle;
  const changed = popping.orders.changeVisible(group, topic, queueId, { offset, popTime }, invisibleTime);
  if (!changed) throw over(header);
  popping.pops.wake(group, topic, queueId);
  // The handle goes on counting from the pop.
  const untilMs = popping.needs.clock.wallMs() + invisibleTime;
  reply(exchange, {
    popTime,
    invisibleTime: Math.max(0, untilMs - popTime),
    reviveQid: POP_ORDER_REVIVE_QUEUE,
  });
}

function change(
  { popping, options }: AckMessageNeeds,
  header: ChangeInvisibleTimeRequestHeader,
  handle: ReceiptHandle,
  exchange: Exchange,
): void {
  const { consumerGroup: group, topic, queueId, offset, invisibleTime } = header;
  const { popTime, startOffset } = handle;
  const { log } = popping;
  const found = popping.find({ group, topic, queueId, popTime, startOffset }, [offset]);
  if (found === undefined || found.open === 0) throw over(header);
  const { brokerName } = options;
  const name = {
    group,
    topic,
    queueId,
    startOffset: offset,
    popTime: popping.needs.clock.wallMs(),
    brokerName,
  };
  const newPopTime = log.table.freePopTime(name);
  let isRefused = false;
  const settled = (outcome: AppendOutcome): void => {
    if (isRefused) return;
    if (outcome === "reached")
      reply(exchange, { popTime: newPopTime, invisibleTime, reviveQid: found.checkPoint.reviveQueueId });
    else {
      exchange.reply({
        code: outcome === "timeout" ? ResponseCode.FLUSH_DISK_TIMEOUT : ResponseCode.SERVICE_NOT_AVAILABLE,
        remark: "it is not known to be durable that the message comes again at another time",
      });
    }
  };
  const appends = new Appends(log, settled);
  const made = log.checkPoint(
    { ...name, popTime: newPopTime, invisibleTime, offsets: [offset], ackedBits: 0, rePutTimes: 0 },
    found.checkPoint.reviveQueueId,
    appends,
  );
  if ("reason" in made) throw refusal(made);
  appends.waiting++;
  const refused = popping.acknowledge(found.checkPoint, found.open, appends);
  if (refused !== undefined) {
    // The new checkpoint is taken back as far as it goes; the one before stays.
    isRefused = true;
    log.done(made.checkPoint, made.checkPoint.allBits);
    throw refusal(refused);
  }
  appends.waiting++;
}

function refusal({ reason, remark }: Refused): Refusal {
  return new Refusal(refusalCodes[reason], `${reason}: ${remark}`);
}

function reply(exchange: Exchange, header: ChangeInvisibleTimeResponseHeader): void {
  exchange.reply({
    code: ResponseCode.SUCCESS,
    header: (sink) => changeInvisibleTimeResponseHeader.encode(header, sink),
  });
}
