/**
 * What is asked of brokers about popped messages: give me some (200050), this one is consumed (200051), this one comes
 * again at another time (200053). Answers to the last two are waited for by a shutdown.
 */
import {
  ackMessageRequestHeader,
  changeInvisibleTimeRequestHeader,
  changeInvisibleTimeResponseHeader,
  formatReceiptHandle,
  type OutgoingRequest,
  type PopMessageRequestHeader,
  popMessageRequestHeader,
  popMessageResponseHeader,
  popTopicOfType,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { fromResponse, fromUnknown, fromWireError } from "../../errors/error-from.ts";
import { OrbitError } from "../../errors/errors.ts";
import { copyRecords } from "../queue/pulled-record.ts";
import { type PoppedMessage, readPopped } from "./popped-message.ts";

/** A broker may be asked a little longer than it may wait (RocketMQ: 10 s). */
const POP_ANSWER_MS = 10_000;
const ACK_TRIES = 4;
const ACK_PAUSE_MS = 1_000;

export type PopAnswer =
  | { readonly kind: "found"; readonly messages: readonly PoppedMessage[] }
  | { readonly kind: "nothing" | "limited" | "full" }
  | { readonly kind: "failed"; readonly error: OrbitError };

export type PopQuestion = Omit<PopMessageRequestHeader, "consumerGroup" | "bornTime" | "brokerName">;

/** A popped message, as far as its broker is concerned. The handle is another one after each change. */
export interface Receipt {
  readonly topic: string;
  readonly brokerName: string;
  handle: PoppedMessage["handle"];
}

export class PopRequests {
  readonly #instance: ClientInstance;
  readonly #group: string;
  #inFlight = 0;
  #onIdle: (() => void)[] = [];
  #stopped = false;

  constructor(instance: ClientInstance, group: string) {
    this.#instance = instance;
    this.#group = group;
  }

  /** Asks a broker for messages; `done` is never called synchronously. */
  pop(address: string, brokerName: string, question: PopQuestion, done: (answer: PopAnswer) => void): void {
    const header: PopMessageRequestHeader = {
      ...question,
      consumerGroup: this.#group,
      bornTime: this.#instance.host.clock.wallMs(),
      brokerName,
    };
    const request: OutgoingRequest = {
      code: RequestCode.POP_MESSAGE,
      header: (sink) => popMessageRequestHeader.encode(header, sink),
    };
    const timeoutMs = Math.max(question.pollTime, 0) + POP_ANSWER_MS;
    this.#instance.rpc.request(address, request, timeoutMs, (error, response) => {
      if (response === undefined) done({ kind: "failed", error: fromWireError(error!, brokerName) });
      else done(readAnswer(response, question.topic, brokerName));
    });
  }

  /** Tried again while that may help; `done` hears why it failed in the end. */
  ack(receipt: Receipt, done: (error: OrbitError | undefined) => void): void {
    this.#begin();
    this.#ack(receipt, 1, (error) => {
      this.#end();
      done(error);
    });
  }

  /** Visible again in `ms`, counted from the broker's receiving this. The receipt's handle is the new one then. */
  changeInvisible(receipt: Receipt, ms: number, done: (error: OrbitError | undefined) => void): void {
    this.#begin();
    const { handle } = receipt;
    const header = { ...this.#place(receipt), invisibleTime: ms };
    const request: OutgoingRequest = {
      code: RequestCode.CHANGE_MESSAGE_INVISIBLETIME,
      header: (sink) => changeInvisibleTimeRequestHeader.encode(header, sink),
    };
    this.#ask(receipt.brokerName, request, (error, response) => {
      this.#end();
      if (response !== undefined) {
        const { popTime, invisibleTime, reviveQid } = changeInvisibleTimeResponseHeader.decode(response.ext);
        const startOffset = handle.offset;
        receipt.handle = { ...handle, startOffset, popTime, invisibleTime, reviveQueueId: reviveQid };
      }
      done(error);
    });
  }

  /** Resolves when nothing is on its way. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  /** Nothing is tried again any more. */
  stop(): void {
    this.#stopped = true;
  }

  #ack(receipt: Receipt, tries: number, done: (error: OrbitError | undefined) => void): void {
    const header = this.#place(receipt);
    const request: OutgoingRequest = {
      code: RequestCode.ACK_MESSAGE,
      header: (sink) => ackMessageRequestHeader.encode(header, sink),
    };
    this.#ask(receipt.brokerName, request, (error) => {
      const again =
        error?.retriable === true && tries < ACK_TRIES && !this.#stopped && error.code !== "SHUT_DOWN";
      if (!again) done(error);
      else this.#instance.host.timers.after(ACK_PAUSE_MS, () => this.#ack(receipt, tries + 1, done));
    });
  }

  /** Where the message lies, which may be a retry topic, and its handle. */
  #place({ topic, brokerName, handle }: Receipt) {
    const { topicType, queueId, offset } = handle;
    return {
      consumerGroup: this.#group,
      topic: popTopicOfType(topicType, topic, this.#group),
      queueId,
      extraInfo: formatReceiptHandle(handle),
      offset,
      brokerName,
    };
  }

  #ask(
    brokerName: string,
    request: OutgoingRequest,
    done: (error: OrbitError | undefined, response?: RemotingCommand) => void,
  ): void {
    const { host, routes, rpc, requestTimeoutMs } = this.#instance;
    const address = routes.masterOf(brokerName);
    if (address === undefined) {
      const error = new OrbitError("BROKER_UNKNOWN", `no address of ${brokerName} is known`, {
        broker: brokerName,
      });
      host.timers.afterTurn(() => done(error));
      return;
    }
    rpc.request(address, request, requestTimeoutMs, (error, response) => {
      if (response === undefined) done(fromWireError(error!, brokerName));
      else if (response.code !== ResponseCode.SUCCESS) {
        done(fromResponse(response.code, response.remark, brokerName));
      } else done(undefined, response);
    });
  }

  #begin(): void {
    this.#inFlight += 1;
  }

  #end(): void {
    this.#inFlight -= 1;
    if (this.#inFlight === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}

function readAnswer(response: RemotingCommand, topic: string, brokerName: string): PopAnswer {
  switch (response.code) {
    case ResponseCode.SUCCESS:
      break;
    case ResponseCode.POLLING_TIMEOUT:
    case ResponseCode.PULL_NOT_FOUND:
      return { kind: "nothing" };
    case ResponseCode.POLLING_FULL:
      return { kind: "full" };
    case ResponseCode.FLOW_CONTROL:
      return { kind: "limited" };
    default:
      return { kind: "failed", error: fromResponse(response.code, response.remark, brokerName) };
  }
  try {
    const header = popMessageResponseHeader.decode(response.ext);
    const messages = readPopped(copyRecords(response.body), header, topic, brokerName);
    return messages.length === 0 ? { kind: "nothing" } : { kind: "found", messages };
  } catch (thrown) {
    return { kind: "failed", error: fromUnknown(thrown, brokerName) };
  }
}
