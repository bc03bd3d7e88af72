/**
 * PEEK_MESSAGE (200052): what a pop would get, without getting it; RocketMQ's checks, as POP_MESSAGE. Nothing found:
 * 19. Records of a retry topic come as they are.
 */
import type { GetResult, MessageStore } from "@orbitmq/store";
import {
  ConsumeInitMode,
  type Exchange,
  type PeekMessageRequestHeader,
  peekMessageRequestHeader,
  popMessageResponseHeader,
  type RequestHandler,
  ResponseCode,
} from "@orbitmq/wire";
import { type PopTargets, popTargets } from "../popping/pop-targets.ts";
import { checkBrokerReadable, checkCount, checkPopTarget, type PopMessageNeeds } from "./pop-message.ts";

export interface PeekMessageNeeds extends PopMessageNeeds {
  readonly store: MessageStore;
}

export function peekMessage(needs: PeekMessageNeeds): RequestHandler {
  return (request, exchange) => {
    const header = peekMessageRequestHeader.decode(request.ext);
    checkBrokerReadable(needs.options, "peeking message is forbidden");
    checkCount(needs.options, header.maxMsgNums);
    checkPopTarget(needs, header);
    new Peek(needs, header, exchange).look();
  };
}

class Peek {
  readonly #needs: PeekMessageNeeds;
  readonly #header: PeekMessageRequestHeader;
  readonly #exchange: Exchange;
  readonly #targets: PopTargets;
  readonly #results: GetResult[] = [];
  #step = 0;
  #count = 0;
  #restNum = 0;

  constructor(needs: PeekMessageNeeds, header: PeekMessageRequestHeader, exchange: Exchange) {
    const { topics, options } = needs;
    const { topic, consumerGroup: group, queueId } = header;
    const random = needs.popping.needs.random.int(100);
    this.#needs = needs;
    this.#header = header;
    this.#exchange = exchange;
    this.#targets = popTargets({ topics, options, topic, group, queueId, order: false, random });
  }

  /** Goes through the queues as long as the store answers at once. */
  look(): void {
    while (this.#step < this.#targets.size) {
      const index = this.#step++;
      if (!this.#read(this.#targets.topic(index), this.#targets.queueId(index))) return;
    }
    this.#answer();
  }

  #read(topic: string, queueId: number): boolean {
    const { store, options, popping } = this.#needs;
    const { consumerGroup, maxMsgNums } = this.#header;
    const offset = popping.queues.peek(consumerGroup, topic, queueId, ConsumeInitMode.MIN);
    const left = store.readableEnd(topic, queueId) - offset;
    this.#restNum += Math.max(left, 0);
    const messagesMax = maxMsgNums - this.#count;
    if (left <= 0 || messagesMax <= 0) return true;
    let isDone = false;
    let isSync = true;
    const bytesMax = options.maxTransferBytesOnMessageInMemory;
    store.get({ topic, queueId, offset, messagesMax, bytesMax }, (result) => {
      isDone = true;
      this.#count += result.messageCount;
      this.#results.push(result);
      if (!isSync) this.look();
    });
    isSync = false;
    return isDone;
  }

  #answer(): void {
    const found = this.#count > 0;
    const results = this.#results;
    const popTime = this.#needs.popping.needs.clock.wallMs();
    this.#exchange.reply({
      code: found ? ResponseCode.SUCCESS : ResponseCode.PULL_NOT_FOUND,
      remark: found ? "FOUND" : "NO_MESSAGE_IN_QUEUE",
      header: (sink) =>
        popMessageResponseHeader.encode(
          { popTime, invisibleTime: 0, reviveQid: 0, restNum: this.#restNum },
          sink,
        ),
      body: results.flatMap((result) => [...result.slices]),
      written: () => {
        for (const result of results) result.release();
      },
    });
  }
}
