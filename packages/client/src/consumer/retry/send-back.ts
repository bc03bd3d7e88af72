/**
 * Gives messages that could not be consumed back to the broker (RocketMQ: DefaultMQPushConsumerImpl.
 * sendMessageBack), which brings them again through the group's retry topic, or lays them into its dead-letter
 * topic:
 *
 *   asked (36) ──accepted──▶ returned
 *      ╰──failed──▶ sent to the retry topic ──accepted──▶ returned
 *                                 ╰──failed──▶ kept: the consumer consumes it again itself
 *
 * After a lost answer the message may come twice.
 */
import {
  consumerSendMsgBackRequestHeader,
  failureText,
  type MessageQueue,
  type MessageRecord,
  RequestCode,
  ResponseCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { fromResponse, fromWireError } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import type { InnerSender } from "../../producer/inner-sender.ts";
import { consumerDefaults } from "../consumer-options.ts";
import { messageIdOf, topicOf } from "../queue/pulled-record.ts";
import { retryMessage } from "./retry-message.ts";

export interface ReturnedMessage {
  readonly record: MessageRecord;
  /** Where it lies. */
  readonly queue: MessageQueue;
  /** How often it failed before. */
  readonly times: number;
  /** 0: the broker chooses; negative: dead letter; else the level. */
  readonly delayLevel: number;
  /** Why; `undefined`: nobody knows. */
  readonly failure: OrbitError | undefined;
}

export class SendBack {
  readonly #instance: ClientInstance;
  readonly #sender: InnerSender;
  readonly #group: string;
  readonly #maxReconsumeTimes: () => number;
  #inFlight = 0;
  #onIdle: (() => void)[] = [];

  constructor(instance: ClientInstance, sender: InnerSender, group: string, maxReconsumeTimes: () => number) {
    this.#instance = instance;
    this.#sender = sender;
    this.#group = group;
    this.#maxReconsumeTimes = maxReconsumeTimes;
  }

  /** `done` hears once whether the message is the broker's now; never synchronously. */
  put(message: ReturnedMessage, done: (returned: boolean) => void): void {
    const settle = this.#begun(done);
    this.#ask(message, (error) => {
      if (error === undefined) settle(true);
      else if (error.code === "SHUT_DOWN") settle(false);
      else {
        this.#note(message, error, "sending a message back");
        this.#send(message, settle);
      }
    });
  }

  /** As a message of its own, without asking; the broker makes it a dead letter when it failed too often. */
  toRetryTopic(message: ReturnedMessage, done: (returned: boolean) => void): void {
    this.#send(message, this.#begun(done));
  }

  /** Resolves when nothing is on its way. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #begun(done: (returned: boolean) => void): (returned: boolean) => void {
    this.#inFlight += 1;
    return (returned) => {
      this.#inFlight -= 1;
      done(returned);
      if (this.#inFlight === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
    };
  }

  #send(message: ReturnedMessage, done: (sent: boolean) => void): void {
    const { record, times, delayLevel } = message;
    const limit = this.#maxReconsumeTimes();
    const text = shownFailure(message.failure);
    this.#sender.send(retryMessage(record, this.#group, times, limit, delayLevel, text), (error) => {
      if (error !== undefined && error.code !== "SHUT_DOWN") {
        this.#note(message, error, "sending a message to the retry topic");
      }
      done(error === undefined);
    });
  }

  #ask(
    { record, queue, delayLevel, failure }: ReturnedMessage,
    done: (error: OrbitError | undefined) => void,
  ): void {
    const { host, routes, rpc } = this.#instance;
    const { brokerName } = queue;
    const address = routes.masterOf(brokerName);
    if (address === undefined) {
      const message = `no address of ${brokerName} is known`;
      host.timers.afterTurn(() => done(new OrbitError("BROKER_UNKNOWN", message, { broker: brokerName })));
      return;
    }
    const header = {
      offset: record.physicalOffset,
      group: this.#group,
      delayLevel,
      originMsgId: messageIdOf(record),
      originTopic: topicOf(record),
      maxReconsumeTimes: this.#maxReconsumeTimes(),
      failure: shownFailure(failure),
    };
    rpc.request(
      this.#instance.vipAddress(address),
      {
        code: RequestCode.CONSUMER_SEND_MSG_BACK,
        header: (sink) => consumerSendMsgBackRequestHeader.encode(header, sink),
      },
      consumerDefaults.sendBackTimeoutMs,
      (error, response) => {
        if (response === undefined) done(fromWireError(error!, brokerName));
        else if (response.code === ResponseCode.SUCCESS) done(undefined);
        else done(fromResponse(response.code, response.remark, brokerName));
      },
    );
  }

  #note({ queue, record }: ReturnedMessage, { code, message }: OrbitError, what: string): void {
    const { topic, brokerName, queueId } = queue;
    this.#instance.logger.warn(
      { topic, brokerName, queueId, offset: record.queueOffset, code },
      `${what}: ${message}`,
    );
  }
}

/** What a listener threw speaks for itself; all else is named. */
function shownFailure(failure: OrbitError | undefined): string | undefined {
  if (failure === undefined) return undefined;
  const { code, message } = failure;
  return failureText(code === "LISTENER_FAILED" ? message : `${code}: ${message}`) || code;
}
