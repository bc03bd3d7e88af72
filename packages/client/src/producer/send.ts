/**
 * One message on its way to one queue, attempt after attempt, until it is acknowledged or given up.
 *
 *   routing ──queue chosen──▶ sending ──acknowledged──────────────────▶ settled
 *      ▲                         │ ├──failed, not to be tried again────▶ settled
 *      ╰──failed, tried again────╯ ╰──aborted, shut down (any state)───▶ settled
 *
 * `routing` waits when the topic's route is unknown, or in doubt while no other broker is left to try; with a
 * known route it takes no time. A settled send may still have a request in flight, whose answer is then ignored.
 *
 * This is the hot path: a Send is reused once it is settled and nothing of it is in flight, and is the request
 * it hands to the RPC client, so that a message costs no closure, promise or timer.
 */

import { assert, type TimerHandle } from "@orbitmq/host";
import {
  type ExtSink,
  type MessageQueue,
  type OutgoingRequest,
  type RemotingCommand,
  RequestCode,
  type ResponseCallback,
  ResponseCode,
  sendMessageResponseHeader,
  sendMessageV2RequestHeader,
  type WireError,
} from "@orbitmq/wire";
import { DEFAULT_TOPIC } from "../connection/topic-queues.ts";
import { fromResponse, fromUnknown, fromWireError } from "../errors/error-from.ts";
import { OrbitError, type OrbitErrorDetails, type SendOutcome } from "../errors/errors.ts";
import type { AnyMessage } from "../message/message.ts";
import type { Attempt, AttemptEnd, AttemptWatch } from "./attempt-watch.ts";
import type { EncodedMessage } from "./encode-message.ts";
import type { SendOptions } from "./producer-options.ts";
import { type AttemptFailure, doubtsRoute, outcomeOf, type SendMode, shouldSendAgain } from "./retry.ts";
import type { SendContext } from "./send-context.ts";
import type { SendCallback, SendResult } from "./send-result.ts";
import type { TopicPublishInfo } from "./topic-publish-info.ts";

export class Send implements OutgoingRequest {
  code: number = RequestCode.SEND_MESSAGE_V2;
  body: readonly Uint8Array[] | undefined;
  readonly header: (sink: ExtSink) => void;

  readonly #context: SendContext;
  readonly #onResponse: ResponseCallback;
  #settled = true;
  /** `begin` has not returned: nobody is called back yet. */
  #beginning = false;
  /** Requests, route questions and timers that will still call back. */
  #pending = 0;
  #mode: SendMode = "sync";
  #message: EncodedMessage | undefined;
  #original: AnyMessage<unknown> | undefined;
  #callback: SendCallback | undefined;
  #options: SendOptions | undefined;
  #deadlineMs = 0;
  #bornTimestamp = 0;
  /** Queues tried; `#attempts` of them were handed to the network. */
  #tries = 0;
  #triesMax = 1;
  #attempts = 0;
  /** A request was handed to the network and not answered. */
  #answerOpen = false;
  #outcome: SendOutcome = "refused";
  #queue: MessageQueue | undefined;
  #lastBroker: string | undefined;
  #queuePinned = false;
  #address = "";
  #onAbort: (() => void) | undefined;
  #routeTimer: TimerHandle | undefined;
  /** The latest one, when somebody watches. */
  #attempt: Attempt | undefined;

  constructor(context: SendContext) {
    this.#context = context;
    this.header = (sink) => this.#encodeHeader(sink);
    this.#onResponse = (error, response) => this.#responded(error, response);
  }

  /** `original` is what a selector sees. */
  begin(
    mode: SendMode,
    message: EncodedMessage,
    original: AnyMessage<unknown>,
    options: SendOptions,
    callback: SendCallback,
  ): void {
    assert(this.#settled && this.#pending === 0, "a send is begun when nothing of it is in flight");
    const { host, sendTimeoutMs } = this.#context;
    this.#settled = false;
    this.#mode = mode;
    this.#message = message;
    this.#original = original;
    this.#options = options;
    this.#callback = callback;
    this.code = codeOf(message);
    this.body = [message.body];
    this.#bornTimestamp = host.clock.wallMs();
    this.#deadlineMs = host.clock.monotonicMs() + (options.timeoutMs ?? sendTimeoutMs);
    this.#tries = 0;
    this.#triesMax = this.#context.attemptsMax(mode);
    this.#attempts = 0;
    this.#outcome = "refused";
    this.#queue = undefined;
    this.#queuePinned = false;
    if (options.signal !== undefined) this.#watch(options.signal);
    this.#beginning = true;
    this.#route();
    this.#beginning = false;
  }

  /** Settles with `error` unless settled; what is in flight is left to itself. */
  giveUp(code: "ABORTED" | "SHUT_DOWN", message: string, cause?: unknown): void {
    const wasOpen = this.#answerOpen;
    if (wasOpen) this.#outcome = "unknown";
    const error = new OrbitError(code, message, this.#details({ cause }));
    if (wasOpen && !this.#settled) this.#attemptEnded({ error, isLast: true });
    this.#fail(error);
  }

  #watch(signal: AbortSignal): void {
    const onAbort = () => this.giveUp("ABORTED", "the send was aborted", signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    this.#onAbort = onAbort;
  }

  #route(): void {
    const given = this.#queue ?? this.#options?.queue;
    if (given !== undefined) {
      this.#queuePinned = true;
      if (this.#context.routes.masterOf(given.brokerName) !== undefined) this.#send(given);
      else this.#awaitRoute(() => this.#context.routes.refresh(given.topic).then(() => this.#send(given)));
      return;
    }
    const { topic } = this.#message!;
    const info = this.#context.publishInfos.get(topic);
    if (info !== undefined && info.queues.length > 0) this.#choose(info);
    else {
      this.#awaitRoute(() => this.#context.publishInfos.find(topic).then((found) => this.#choose(found)));
    }
  }

  /** `work` goes on with the send, or rejects; the send's time may run out before. */
  #awaitRoute(work: () => Promise<void>): void {
    const { timers } = this.#context.host;
    this.#pending += 1;
    // One wait may follow upon another: a timer that was left behind would end a later send of this object.
    this.#routeTimer?.cancel();
    this.#routeTimer = timers.after(Math.max(this.#remainingMs(), 0), () => {
      this.#fail(new OrbitError("TIMEOUT", "no route was found in time", this.#details()));
    });
    const guarded = () => (this.#settled ? Promise.resolve() : work());
    guarded()
      .catch((error: unknown) => this.#fail(this.#completed(fromUnknown(error))))
      .finally(() => {
        this.#pending -= 1;
        this.#release();
      });
  }

  #choose(info: TopicPublishInfo): void {
    if (this.#settled) return;
    let queue: MessageQueue | undefined;
    let cause: unknown;
    const { selector } = this.#options!;
    if (selector === undefined || info.queues.length === 0)
      queue = info.next(this.#lastBroker, this.#context.faults);
    else {
      this.#queuePinned = true;
      try {
        const { namespace, host } = this.#context;
        const shown = namespace.isNone ? info.queues : info.queues.map((one) => namespace.unwrapQueue(one));
        queue = selector(shown, this.#original!, host.random);
        if (queue !== undefined) queue = namespace.wrapQueue(queue);
      } catch (error) {
        cause = error;
      }
    }
    if (queue !== undefined) this.#send(queue);
    else {
      const why = info.queues.length === 0 ? "has no writable queue" : "got no queue from the selector";
      const message = `${this.#message!.topic} ${why}`;
      this.#fail(new OrbitError("NO_QUEUE_AVAILABLE", message, this.#details({ cause })));
    }
  }

  #send(queue: MessageQueue): void {
    if (this.#settled) return;
    this.#routeTimer?.cancel();
    this.#queue = queue;
    this.#lastBroker = queue.brokerName;
    this.#tries += 1;
    const address = this.#context.routes.masterOf(queue.brokerName);
    if (address === undefined) {
      this.#attemptFailed(
        { kind: "no-address" },
        () => new OrbitError("BROKER_UNKNOWN", `no address of ${queue.brokerName} is known`, this.#details()),
      );
      return;
    }
    this.#address = this.#context.vipAddress(address);
    if (this.#context.watch !== undefined && !this.#watched(this.#context.watch)) return;
    this.#attempts += 1;
    this.#pending += 1;
    this.#answerOpen = true;
    if (this.#mode === "oneway") {
      this.#context.rpc.oneway(this.#address, this, (error) => this.#left(error));
    } else {
      this.#context.rpc.request(this.#address, this, Math.max(this.#attemptMs(), 1), this.#onResponse);
    }
  }

  /** Only an attempt of a `send` that may have another is given less time than the send has. */
  #attemptMs(): number {
    const { attemptTimeoutMs } = this.#context;
    const remainingMs = this.#remainingMs();
    const mayGoOn = this.#mode === "sync" && !this.#queuePinned && this.#tries < this.#triesMax;
    return attemptTimeoutMs === undefined || !mayGoOn ? remainingMs : Math.min(attemptTimeoutMs, remainingMs);
  }

  /** False: the attempt was forbidden, and the send is over. */
  #watched(watch: AttemptWatch): boolean {
    const place = {
      mode: this.#mode,
      number: this.#attempts + 1,
      message: this.#original!,
      encoded: this.#message!,
      queue: this.#queue!,
      address: this.#address,
    };
    try {
      watch.check(place);
    } catch (error) {
      this.#fail(this.#completed(fromUnknown(error)));
      return false;
    }
    this.#attempt = watch.begin(place, this.#attempt);
    return true;
  }

  #attemptEnded(end: AttemptEnd): void {
    if (this.#attempt !== undefined) this.#context.watch?.end(this.#attempt, end);
  }

  #encodeHeader(sink: ExtSink): void {
    const message = this.#message!;
    const queue = this.#queue!;
    const { group, defaultTopicQueueNums } = this.#context;
    sendMessageV2RequestHeader.encode(
      {
        producerGroup: group,
        topic: message.topic,
        defaultTopic: DEFAULT_TOPIC,
        defaultTopicQueueNums,
        queueId: queue.queueId,
        sysFlag: message.sysFlag,
        bornTimestamp: this.#bornTimestamp,
        flag: message.flag,
        properties: message.properties,
        reconsumeTimes: message.reconsumeTimes,
        maxReconsumeTimes: message.maxReconsumeTimes,
        batch: message.isBatch ? true : undefined,
        brokerName: queue.brokerName,
      },
      sink,
    );
  }

  #responded(error: WireError | undefined, response: RemotingCommand | undefined): void {
    this.#pending -= 1;
    this.#answerOpen = false;
    if (this.#settled) {
      this.#release();
      return;
    }
    const { brokerName } = this.#queue!;
    if (response === undefined) {
      const failure = error!;
      if (failure.code === "REQUEST_TIMEOUT" && failure.sent) this.#context.suspect(this.#address);
      this.#attemptFailed({ kind: "rpc", code: failure.code, sent: failure.sent }, () =>
        fromWireError(failure, brokerName, this.#details()),
      );
    } else if (response.code === ResponseCode.SUCCESS) {
      this.#acknowledged(response);
    } else {
      const { code, remark } = response;
      const mayExist = response.ext.get("outcome") === "unknown";
      this.#attemptFailed({ kind: "response", code, mayExist }, () =>
        fromResponse(code, remark, brokerName, this.#details()),
      );
    }
  }

  #acknowledged(response: RemotingCommand): void {
    const queue = this.#queue!;
    let result: SendResult;
    try {
      const header = sendMessageResponseHeader.decode(response.ext);
      result = {
        status: "SEND_OK",
        msgId: this.#message!.msgId,
        offsetMsgId: header.msgId,
        queue:
          header.queueId === queue.queueId && this.#context.namespace.isNone
            ? queue
            : this.#context.namespace.unwrapQueue({ ...queue, queueId: header.queueId }),
        queueOffset: header.queueOffset,
        transactionId: header.transactionId,
        recallHandle: header.recallHandle,
        region: header.MSG_REGION,
        traceOn: header.TRACE_ON ?? true,
        durability: header.durability,
      };
    } catch (error) {
      this.#outcome = "unknown";
      this.#fail(this.#completed(fromUnknown(error, queue.brokerName)));
      return;
    }
    this.#attemptEnded({ result, isLast: true });
    this.#succeed(result);
  }

  #left(error: WireError | undefined): void {
    this.#pending -= 1;
    this.#answerOpen = false;
    if (error?.sent === true) this.#outcome = "unknown";
    if (this.#settled) {
      this.#release();
      return;
    }
    if (error === undefined) {
      this.#attemptEnded({ isLast: true });
      this.#succeed(NOTHING_KNOWN);
      return;
    }
    const failure = { kind: "rpc", code: error.code, sent: error.sent } as const;
    const shown = this.#completed(fromUnknown(error, this.#queue!.brokerName));
    this.#attemptEnded({ failure, error: shown, isLast: true });
    this.#fail(shown);
  }

  #attemptFailed(failure: AttemptFailure, toError: () => OrbitError): void {
    if (outcomeOf(failure) === "unknown") this.#outcome = "unknown";
    const { topic } = this.#message!;
    const doubtful = doubtsRoute(failure);
    if (doubtful) this.#context.routes.refreshInBackground(topic);
    const again = shouldSendAgain({
      mode: this.#mode,
      failure,
      queuePinned: this.#queuePinned,
      attempts: this.#tries,
      attemptsMax: this.#triesMax,
      remainingMs: this.#remainingMs(),
      retriesStoredBadly: this.#context.retriesStoredBadly,
    });
    if (this.#attempt !== undefined && failure.kind !== "no-address") {
      this.#attemptEnded({ failure, error: toError(), isLast: !again });
    }
    if (!again) {
      this.#fail(toError());
      return;
    }
    this.#context.retried(topic);
    const info = this.#context.publishInfos.get(topic);
    const stuck = info === undefined || !info.hasOtherBroker(this.#queue!.brokerName);
    if (!this.#queuePinned) this.#queue = undefined;
    if (doubtful && (stuck || this.#queuePinned)) {
      // Nowhere else to go: the refreshed route may know where the broker is now.
      const refreshed = () =>
        this.#context.routes.refresh(topic).then(
          () => undefined,
          () => undefined,
        );
      this.#awaitRoute(() => refreshed().then(() => (this.#settled ? undefined : this.#route())));
    } else this.#route();
  }

  #remainingMs(): number {
    return this.#deadlineMs - this.#context.host.clock.monotonicMs();
  }

  #details(more: OrbitErrorDetails = {}): OrbitErrorDetails {
    const broker = this.#queue?.brokerName ?? this.#lastBroker;
    return { outcome: this.#outcome, attempts: this.#attempts, broker, ...more };
  }

  /** An error from elsewhere with what only this send knows. */
  #completed(error: OrbitError): OrbitError {
    const { responseCode, remark, broker } = error;
    return new OrbitError(
      error.code,
      error.message,
      this.#details({ responseCode, remark, broker, cause: error.cause }),
    );
  }

  #succeed(result: SendResult): void {
    const callback = this.#callback!;
    this.#settle();
    try {
      callback.onSuccess(result);
    } catch (error) {
      this.#callbackThrew(error);
    }
    this.#release();
  }

  #fail(error: OrbitError): void {
    if (this.#settled) return;
    if (this.#beginning) {
      this.#pending += 1;
      this.#context.host.timers.afterTurn(() => {
        this.#pending -= 1;
        this.#fail(error);
      });
      return;
    }
    const callback = this.#callback!;
    this.#settle();
    try {
      callback.onException(error);
    } catch (thrown) {
      this.#callbackThrew(thrown);
    }
    this.#release();
  }

  #settle(): void {
    assert(!this.#settled, "a send settles once");
    this.#settled = true;
    this.#callback = undefined;
    this.#routeTimer?.cancel();
    this.#routeTimer = undefined;
    if (this.#onAbort !== undefined) {
      this.#options?.signal?.removeEventListener("abort", this.#onAbort);
      this.#onAbort = undefined;
    }
    this.#context.settled(this);
  }

  #callbackThrew(error: unknown): void {
    const { message } = fromUnknown(error);
    this.#context.logger.error({ code: "INTERNAL", err: error }, `a send callback threw: ${message}`);
  }

  /** Back into the pool, once nothing can call back any more. */
  #release(): void {
    if (!this.#settled || this.#pending > 0 || this.#message === undefined) return;
    this.#message = undefined;
    this.#original = undefined;
    this.#options = undefined;
    this.#queue = undefined;
    this.#lastBroker = undefined;
    this.#attempt = undefined;
    this.body = undefined;
    this.#context.reusable(this);
  }
}

/** Of a oneway nothing is known but that it left; its caller does not look at this. */
const NOTHING_KNOWN: SendResult = {
  status: "SEND_OK",
  msgId: "",
  offsetMsgId: "",
  queue: { topic: "", brokerName: "", queueId: -1 },
  queueOffset: -1,
  transactionId: undefined,
  recallHandle: undefined,
  region: undefined,
  traceOn: false,
  durability: undefined,
};

function codeOf({ isBatch, isReply }: EncodedMessage): number {
  if (isBatch) return RequestCode.SEND_BATCH_MESSAGE;
  return isReply === true ? RequestCode.SEND_REPLY_MESSAGE_V2 : RequestCode.SEND_MESSAGE_V2;
}
