/**
 * ACK_MESSAGE (200051): a popped message is consumed, and answered once that is as durable as an acknowledged send.
 *
 *   17   no such topic
 *   13   no such queue; no handle of ours; the handle's time is over and its message has come again
 *   208  the offset is in no message
 *   2, 14  the store takes nothing now: the message stays invisible for its time
 *
 * Acknowledging again is answered 0 as long as messages of the same pop are not.
 */
import type { AppendOutcome, AppendWaiter, MessageStore } from "@orbitmq/store";
import {
  ackMessageRequestHeader,
  type Exchange,
  POP_ORDER_REVIVE_QUEUE,
  parseReceiptHandle,
  popTopicTypeOf,
  type ReceiptHandle,
  Refusal,
  type RequestHandler,
  ResponseCode,
  WireError,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { PopService } from "../popping/pop-service.ts";
import { Appends, type Refused } from "../popping/revive-log.ts";
import { refusalCodes } from "../sending/refusals.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface AckMessageNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: MessageStore;
  readonly topics: TopicRegistry;
  readonly popping: PopService;
}

/** A popped message as its consumer names it. */
export interface PoppedMessage {
  readonly consumerGroup: string;
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
  readonly extraInfo: string;
}

export function ackMessage(needs: AckMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = ackMessageRequestHeader.decode(request.ext);
    const handle = handleOf(needs, header);
    const { popping } = needs;
    const { consumerGroup: group, topic, queueId, offset } = header;
    const { popTime, startOffset, reviveQueueId } = handle;
    if (reviveQueueId === POP_ORDER_REVIVE_QUEUE) {
      if (!popping.acknowledgeInOrder({ group, topic, queueId, popTime }, offset)) throw over(header);
      exchange.reply({ code: ResponseCode.SUCCESS });
      return;
    }
    const found = popping.find({ group, topic, queueId, popTime, startOffset }, [offset]);
    const bits = found === undefined ? 0 : found.open | found.acked;
    if (found === undefined || bits === 0) throw over(header);
    const reply = new AckReply(needs, exchange);
    const refused = popping.acknowledge(found.checkPoint, bits, reply.waiter);
    if (refused !== undefined) {
      throw new Refusal(refusalCodes[refused.reason], `${refused.reason}: ${refused.remark}`);
    }
    reply.expect();
  };
}

/** The handle, when it is one of ours for this message. Throws Refusal 17, 13, 208. */
export function handleOf({ topics, store, options }: AckMessageNeeds, popped: PoppedMessage): ReceiptHandle {
  const { topic, queueId, offset } = popped;
  const config = topics.get(topic);
  if (config === undefined) {
    throw new Refusal(ResponseCode.TOPIC_NOT_EXIST, `topic[${topic}] not exist, apply first please!`);
  }
  if (queueId < 0 || queueId >= config.readQueueNums) {
    throw new Refusal(
      ResponseCode.MESSAGE_ILLEGAL,
      `queueId[${queueId}] is illegal, topic:[${topic}] topicConfig.readQueueNums:[${config.readQueueNums}]`,
    );
  }
  const min = store.minOffset(topic, queueId);
  const max = store.readableEnd(topic, queueId);
  if (offset < min || offset >= max) {
    throw new Refusal(
      ResponseCode.NO_MESSAGE,
      `offset is illegal, key:${topic}@${queueId}, commit:${offset}, store:${min}~${max}`,
    );
  }
  let handle: ReceiptHandle;
  try {
    handle = parseReceiptHandle(popped.extraInfo);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new Refusal(ResponseCode.MESSAGE_ILLEGAL, error.message);
  }
  const isOurs =
    handle.brokerName === options.brokerName &&
    handle.queueId === queueId &&
    handle.topicType === popTopicTypeOf(topic) &&
    (handle.offset ?? offset) === offset;
  if (!isOurs) throw over(popped);
  return handle;
}

export function over({ topic, queueId, offset }: PoppedMessage): Refusal {
  return new Refusal(
    ResponseCode.MESSAGE_ILLEGAL,
    `no message ${topic}@${queueId}@${offset} was popped with this handle, or its time is over`,
  );
}

/** Answers once acknowledgements are durable. */
export class AckReply {
  readonly #exchange: Exchange;
  readonly #appends: Appends;
  #refused: Refused | undefined;

  constructor({ popping }: Pick<AckMessageNeeds, "popping">, exchange: Exchange) {
    this.#exchange = exchange;
    this.#appends = new Appends(popping.log, (outcome) => this.#settled(outcome));
  }

  /** Of every append, each of which is expected when it was not refused. */
  get waiter(): AppendWaiter {
    return this.#appends;
  }

  expect(): void {
    this.#appends.waiting++;
  }

  /** The rest was refused: told once what was appended is durable. */
  refusedLater(refused: Refused): void {
    this.#refused = refused;
  }

  #settled(outcome: AppendOutcome): void {
    if (outcome === "failed") {
      this.#exchange.reply({
        code: ResponseCode.SERVICE_NOT_AVAILABLE,
        remark: "service not available now: a write error stopped the store; the message may come again",
        header: (sink) => sink.put("outcome", "unknown"),
      });
    } else if (this.#refused !== undefined) {
      const { reason, remark } = this.#refused;
      this.#exchange.reply({ code: refusalCodes[reason], remark: `${reason}: ${remark}` });
    } else if (outcome === "timeout") {
      this.#exchange.reply({
        code: ResponseCode.FLUSH_DISK_TIMEOUT,
        remark: "the acknowledgement is stored, but was not synced to disk in time",
      });
    } else this.#exchange.reply({ code: ResponseCode.SUCCESS });
  }
}
