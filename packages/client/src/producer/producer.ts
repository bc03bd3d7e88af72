/**
 * Sends messages (RocketMQ: DefaultMQProducer). Its life is the client instance's (client-instance.ts); a send's
 * is in send.ts. Shutdown lets sends in flight settle until its deadline and then settles the rest itself, so
 * that no caller waits for ever.
 */
import type { Host, TimerHandle } from "@orbitmq/host";
import { MessageConst, RequestCode, type UniqueIdGenerator } from "@orbitmq/wire";
import { ClientInstance } from "../connection/client-instance.ts";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import type { AnyMessage, MessageQueue } from "../message/message.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { newUniqueIds } from "../message/unique-id.ts";
import { checkTopicToSend, RETRY_PREFIX } from "../names/names.ts";
import {
  type ClientState,
  SHUTDOWN_DEADLINE_MS,
  type ShutdownOptions,
  type ShutdownResult,
} from "../options/client-options.ts";
import { checkDuration } from "../options/option-checks.ts";
import { ClientGauges, gauges } from "../telemetry/client-gauges.ts";
import { loadTelemetry, wantsTelemetry } from "../telemetry/load-telemetry.ts";
import { SendTelemetry } from "../telemetry/send-telemetry.ts";
import { PublishTrace } from "../trace/publish-trace.ts";
import { newTraceDispatcher } from "../trace/trace-dispatcher.ts";
import { Accumulator, type Gathered } from "./accumulator.ts";
import { AsyncRoom } from "./async-room.ts";
import { AttemptWatch } from "./attempt-watch.ts";
import {
  type EncodedMessage,
  type EncodeLimits,
  encodeBatch,
  encodeEntries,
  encodeEntry,
  encodeMessage,
  halfOf,
} from "./encode-message.ts";
import { FaultDetector } from "./faults/fault-detector.ts";
import { FaultTable } from "./faults/fault-table.ts";
import type { ProducerOptions, SendOptions } from "./producer-options.ts";
import { producerSettings } from "./producer-settings.ts";
import { PublishInfos } from "./publish-infos.ts";
import { askRecall, type RecallOptions, recallHandleOf, recallRequest } from "./recall.ts";
import { type ReplyOptions, replyMessage } from "./reply-message.ts";
import { Requests } from "./requests.ts";
import type { SendMode } from "./retry.ts";
import { Send } from "./send.ts";
import type { SendContext } from "./send-context.ts";
import type { SendCallback, SendResult } from "./send-result.ts";

/** Sends kept for reuse. */
const POOL_MAX = 1_024;
/** What is left of a shutdown's deadline for unregistering. */
const UNREGISTER_MS = 1_000;
/** What traces get at least, however late it is. */
const TRACE_FLUSH_MS = 100;

export interface ProducerStatus {
  readonly state: ClientState;
  /** Started, and the NameServer asked last has answered: fit for a readiness probe. */
  readonly ready: boolean;
  readonly group: string;
  readonly clientId: string;
  readonly sendsInFlight: number;
  /** With `trace`: contexts that were not sent, because too many waited or the trace topic could not be reached. */
  readonly tracesDropped: number;
}

export class Producer {
  readonly #instance: ClientInstance;
  readonly #limits: EncodeLimits;
  readonly #ids: UniqueIdGenerator;
  readonly #requests: Requests;
  readonly #context: SendContext;
  readonly #detector: FaultDetector | undefined;
  readonly #room: AsyncRoom | undefined;
  readonly #accumulator: Accumulator | undefined;
  readonly #sendsInFlightMax: number;
  readonly #trace: PublishTrace | undefined;
  readonly #telemetryOption: ProducerOptions["telemetry"];
  #telemetry: SendTelemetry | undefined;
  #gauges: ClientGauges | undefined;
  readonly #inFlight = new Set<Send>();
  readonly #pool: Send[] = [];
  #onIdle: (() => void) | undefined;
  #shutdown: Promise<ShutdownResult> | undefined;

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: ProducerOptions = {}) {
    const settings = producerSettings(options);
    const { group, retryTimes, retryTimesAsync, accumulator, room } = settings;
    this.#limits = settings.limits;
    this.#telemetryOption = options.telemetry;
    this.#sendsInFlightMax = settings.sendsInFlightMax;
    this.#ids = newUniqueIds(host);
    this.#instance = new ClientInstance(host, options, { producerGroups: [group] });
    const { logger, rpc, routes, namespace } = this.#instance;
    this.#requests = new Requests(host, logger);
    rpc.handle(RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT, (request, exchange) =>
      this.#requests.pushed(request, exchange),
    );
    const nowMs = () => host.clock.monotonicMs();
    const faults = settings.latency === undefined ? undefined : new FaultTable(nowMs, settings.latency);
    if (faults !== undefined && settings.detector !== undefined) {
      this.#detector = new FaultDetector(this.#instance, faults, settings.detector);
    }
    const { sendHooks = [], checkForbiddenHooks = [] } = options;
    const detector = this.#detector;
    const plainGroup = namespace.unwrap(group);
    const dispatcher = newTraceDispatcher(this.#instance, plainGroup, "PRODUCE", options.trace);
    if (dispatcher !== undefined) {
      const wallMs = () => host.clock.wallMs();
      this.#trace = new PublishTrace(dispatcher, {
        group: plainGroup,
        namespace,
        wallMs,
        monotonicMs: nowMs,
      });
    }
    const hooksCount = sendHooks.length + checkForbiddenHooks.length;
    const isWatched = faults !== undefined || this.#trace !== undefined || hooksCount > 0;
    this.#context = {
      host,
      logger,
      rpc,
      routes,
      publishInfos: new PublishInfos(routes, host.random, settings.defaultTopicQueueNums),
      group,
      namespace,
      defaultTopicQueueNums: settings.defaultTopicQueueNums,
      sendTimeoutMs: settings.sendTimeoutMs,
      attemptTimeoutMs: settings.attemptTimeoutMs,
      retriesStoredBadly: settings.retriesStoredBadly,
      faults,
      watch: isWatched
        ? new AttemptWatch({
            group,
            namespace,
            logger,
            nowMs,
            faults,
            detector,
            sendHooks,
            checkForbiddenHooks,
            trace: this.#trace,
          })
        : undefined,
      vipAddress: (address) => this.#instance.vipAddress(address),
      attemptsMax: (mode) => 1 + (mode === "sync" ? retryTimes : mode === "async" ? retryTimesAsync : 0),
      suspect: (address) => void this.#instance.heartbeats.suspect(address),
      retried: (topic) => this.#telemetry?.retried(namespace.unwrap(topic)),
      settled: (send) => this.#settled(send),
      reusable: (send) => {
        if (this.#pool.length < POOL_MAX) this.#pool.push(send);
      },
    };
    if (room !== undefined) this.#room = new AsyncRoom(host, room);
    if (accumulator !== undefined) {
      this.#accumulator = new Accumulator(host.timers, accumulator, (batch) => this.#sendGathered(batch));
    }
  }

  /** Resolves when a NameServer has answered; rejects with NAME_SERVER_UNREACHABLE after `startTimeoutMs`. */
  start(): Promise<void> {
    return this.#instance.start(async () => {
      if (wantsTelemetry(this.#telemetryOption)) await this.#beginTelemetry();
      this.#instance.background("heartbeat", () => this.#instance.heartbeats.beatAll());
    });
  }

  /**
   * One message, or a batch: an array of messages of one topic, stored together in one queue. Resolves only for
   * SEND_OK; rejects with OrbitError, whose `outcome` says whether the message may exist all the same.
   */
  send<T>(message: AnyMessage<T> | readonly AnyMessage<T>[], options: SendOptions = {}): Promise<SendResult> {
    return new Promise((resolve, reject) => {
      this.#begin("sync", message, options, { onSuccess: resolve, onException: reject });
    });
  }

  /** As `send` without a promise. Never throws: what is wrong with the message goes to `onException`, too. */
  sendAsync<T>(
    message: AnyMessage<T> | readonly AnyMessage<T>[],
    callback: SendCallback,
    options: SendOptions = {},
  ): void {
    this.#begin("async", message, options, callback);
  }

  /** Resolves when the message left; whether it arrived is never known. Rejects when it cannot leave. */
  sendOneway<T>(message: AnyMessage<T>, options: SendOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#begin("oneway", message, options, { onSuccess: () => resolve(), onException: reject });
    });
  }

  /**
   * Sends one message and resolves to the reply to it (RocketMQ: request). `timeoutMs` is for both together; rejects
   * with TIMEOUT when no reply came in time, and as `send` when the message could not be sent.
   */
  async request<T>(message: AnyMessage<T>, options: SendOptions = {}): Promise<ReceivedMessage> {
    this.#instance.checkRunning();
    const { host, sendTimeoutMs } = this.#context;
    const timeoutMs = checkDuration(options, "timeoutMs", sendTimeoutMs);
    const endMs = host.clock.monotonicMs() + timeoutMs;
    const id = this.#ids.next();
    const reply = this.#requests.wait(id, timeoutMs);
    const onAbort = () => {
      const cause = options.signal?.reason;
      this.#requests.fail(
        id,
        new OrbitError("ABORTED", "the request was aborted", { outcome: "unknown", cause }),
      );
    };
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const properties = {
      ...message.properties,
      [MessageConst.CORRELATION_ID]: id,
      [MessageConst.MESSAGE_REPLY_TO_CLIENT]: this.#instance.clientId,
      [MessageConst.MESSAGE_TTL]: String(timeoutMs),
    };
    try {
      // Whoever replies reaches us only through a broker that knows us.
      const topic = typeof message.topic === "string" ? message.topic : message.topic.name;
      await Promise.race([this.#makeKnown(topic), reply]);
      const leftMs = Math.max(endMs - host.clock.monotonicMs(), 1);
      const sent = this.send({ ...message, properties } as AnyMessage<T>, { ...options, timeoutMs: leftMs });
      sent.catch((error: unknown) => this.#requests.fail(id, fromUnknown(error)));
    } catch (error) {
      this.#requests.fail(id, fromUnknown(error));
    }
    return reply.finally(() => options.signal?.removeEventListener("abort", onAbort));
  }

  /**
   * Answers a message that another client sent with `request`. Resolves when that client has the answer; rejects with
   * INVALID_ARGUMENT for a message that is no request, and with SYSTEM_ERROR when its client is gone.
   */
  async reply(
    request: ReceivedMessage<unknown>,
    body: string | Uint8Array,
    options: ReplyOptions = {},
  ): Promise<SendResult> {
    const message = replyMessage(request, body, options);
    const { timeoutMs, signal } = options;
    // The broker that has the request knows who sent it.
    const queues = await this.#queuesOf(message.topic);
    const queue = queues.find(({ brokerName }) => brokerName === request.queue.brokerName);
    return new Promise((resolve, reject) => {
      // As it is: the reply topic is in no namespace.
      const callback = { onSuccess: resolve, onException: reject };
      this.#begin("sync", message, { timeoutMs, signal, queue }, callback);
    });
  }

  /**
   * Takes back a message that waits for its time (RocketMQ: recallMessage). Resolves to its id when it will not be
   * delivered; rejects with BROKER_REFUSED when it is due, or the handle is of another topic, NO_PERMISSION when
   * the broker has recall off (`recallMessageEnable`). When `outcome` is `unknown` the recall may have been taken all
   * the same. `topic` is that of the send.
   */
  async recall(topic: string, recallHandle: string, { timeoutMs }: RecallOptions = {}): Promise<string> {
    this.#instance.checkRunning();
    const { namespace, sendTimeoutMs, rpc } = this.#context;
    const wrapped = namespace.wrap(topic);
    const { brokerName } = recallHandleOf(recallHandle);
    await this.#queuesOf(wrapped);
    const address = this.#instance.routes.masterOf(brokerName);
    if (address === undefined) throw new OrbitError("BROKER_UNKNOWN", `no address of ${brokerName} is known`);
    const limitMs = checkDuration({ timeoutMs }, "timeoutMs", sendTimeoutMs);
    const request = recallRequest(this.#context.group, wrapped, recallHandle);
    const recalled = askRecall(rpc, address, request, limitMs, brokerName);
    this.#trace?.watchRecall(topic, recallHandleOf(recallHandle).uniqKey, recalled);
    return (await recalled).msgId;
  }

  /** The queues a message of this topic can be sent to, in order (RocketMQ: fetchPublishMessageQueues). */
  async publishQueues(topic: string): Promise<MessageQueue[]> {
    const { namespace } = this.#context;
    const queues = await this.#queuesOf(namespace.wrap(topic));
    return queues.map((queue) => namespace.unwrapQueue(queue));
  }

  /** `topic` as servers know it. */
  async #queuesOf(topic: string): Promise<readonly MessageQueue[]> {
    checkTopicToSend(topic);
    this.#instance.checkRunning();
    const { publishInfos } = this.#context;
    return (publishInfos.get(topic) ?? (await publishInfos.find(topic))).queues;
  }

  status(): ProducerStatus {
    const { state, clientId, nameServers } = this.#instance;
    return {
      state,
      ready: state === "running" && nameServers.reachable,
      group: this.#context.namespace.unwrap(this.#context.group),
      clientId,
      sendsInFlight: this.#inFlight.size,
      tracesDropped: this.#trace?.dropped ?? 0,
    };
  }

  /**
   * Refuses new sends, waits until those in flight are settled or the deadline passes (they then fail with
   * SHUT_DOWN), unregisters and ends every connection. Twice is once. Never rejects.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownResult> {
    this.#shutdown ??= this.#stop(options.deadlineMs ?? SHUTDOWN_DEADLINE_MS);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** For transactions: what a send needs. */
  protected get context(): SendContext {
    return this.#context;
  }

  /** For transactions; `undefined`: nothing is traced. */
  protected get trace(): PublishTrace | undefined {
    return this.#trace;
  }

  /** For transactions: sends a half. Throws what is wrong with the message. */
  protected sendHalf<T>(
    message: AnyMessage<T>,
    options: SendOptions,
  ): { readonly msgId: string; readonly sent: Promise<SendResult> } {
    const sending = this.#telemetry?.begin(message as AnyMessage<unknown>, true);
    const original = (sending?.messages ?? message) as AnyMessage<unknown>;
    let encoded: EncodedMessage;
    try {
      encoded = halfOf(this.#admit(false, original, options), original, this.#context.group);
    } catch (error) {
      sending?.failed(error);
      throw error;
    }
    const sent = new Promise<SendResult>((resolve, reject) => {
      const callback = { onSuccess: resolve, onException: reject };
      this.#start("sync", encoded, original, options, sending?.around(callback) ?? callback);
    });
    return { msgId: encoded.msgId, sent };
  }

  async #makeKnown(topic: string): Promise<void> {
    const { routes, heartbeats } = this.#instance;
    const names = new Set((await this.publishQueues(topic)).map(({ brokerName }) => brokerName));
    const masters = [...names].map((name) => routes.masterOf(name));
    await Promise.all(
      masters.map((address) => (address === undefined ? undefined : heartbeats.ensureKnown(address))),
    );
  }

  /** Resolves when `sendAsync` would not have to wait for room; at once without `asyncBackPressure`. */
  room(): Promise<void> {
    return this.#room?.room() ?? Promise.resolve();
  }

  async #beginTelemetry(): Promise<void> {
    const { host, logger, group: wrapped, namespace, rpc } = this.#context;
    const telemetry = await loadTelemetry(this.#telemetryOption, logger);
    if (telemetry === undefined) return;
    const group = namespace.unwrap(wrapped);
    const { clientId } = this.#instance;
    this.#telemetry = new SendTelemetry(telemetry, host, { group, clientId, namespace: namespace.name });
    this.#gauges = new ClientGauges(telemetry);
    const said = { "orbitmq.producer.group": group, "messaging.client.id": clientId };
    this.#gauges.add(gauges.inFlight, (gauge) => gauge.observe(this.#inFlight.size, said));
    this.#gauges.countReconnects(rpc, said);
  }

  #begin<T>(
    mode: SendMode,
    message: AnyMessage<T> | readonly AnyMessage<T>[],
    options: SendOptions,
    callback: SendCallback,
  ): void {
    const sending = this.#telemetry?.begin(message as AnyMessage<unknown> | readonly AnyMessage<unknown>[]);
    if (sending === undefined) this.#submit(mode, message, options, callback);
    else this.#submit(mode, sending.messages, options, sending.around(callback));
  }

  #submit(
    mode: SendMode,
    message: AnyMessage<unknown> | readonly AnyMessage<unknown>[],
    options: SendOptions,
    callback: SendCallback,
  ): void {
    let encoded: EncodedMessage;
    const isBatch = Array.isArray(message);
    const first = (isBatch ? message[0] : message) as AnyMessage<unknown>;
    try {
      if (!isBatch && this.#accumulator?.takes(mode, first, options) === true) {
        if (this.#gather(this.#accumulator, mode, first, options, callback)) return;
      }
      encoded = this.#admit(isBatch, message as AnyMessage<unknown> | AnyMessage<unknown>[], options);
    } catch (error) {
      this.#refuse(fromUnknown(error), callback);
      return;
    }
    if (mode === "async" && this.#room !== undefined)
      this.#enter(this.#room, encoded, first, options, callback);
    else this.#start(mode, encoded, first, options, callback);
  }

  #start(
    mode: SendMode,
    encoded: EncodedMessage,
    first: AnyMessage<unknown>,
    options: SendOptions,
    callback: SendCallback,
  ): void {
    const send = this.#pool.pop() ?? new Send(this.#context);
    this.#inFlight.add(send);
    const { namespace } = this.#context;
    const wrapped =
      namespace.isNone || options.queue === undefined || encoded.isReply === true
        ? options
        : { ...options, queue: namespace.wrapQueue(options.queue) };
    send.begin(mode, encoded, first, wrapped, callback);
  }

  #refuse(error: OrbitError, callback: SendCallback): void {
    this.#context.host.timers.afterTurn(() => callback.onException(error));
  }

  /** As soon as there is room; waiting for it is part of the send's time. */
  #enter(
    room: AsyncRoom,
    encoded: EncodedMessage,
    first: AnyMessage<unknown>,
    options: SendOptions,
    callback: SendCallback,
  ): void {
    const { clock } = this.#context.host;
    const bytes = encoded.body.length;
    const timeoutMs = options.timeoutMs ?? this.#context.sendTimeoutMs;
    const endMs = clock.monotonicMs() + timeoutMs;
    const leaving: SendCallback = {
      onSuccess: (result) => {
        room.leave(bytes);
        callback.onSuccess(result);
      },
      onException: (error) => {
        room.leave(bytes);
        callback.onException(error);
      },
    };
    const go = () => {
      const leftMs = Math.max(endMs - clock.monotonicMs(), 1);
      this.#start("async", encoded, first, { ...options, timeoutMs: leftMs }, leaving);
    };
    room.enter(bytes, timeoutMs, go, (why) => {
      const message =
        why === "closed"
          ? "the producer was shut down before there was room for the send"
          : `no room for another asynchronous send within ${timeoutMs} ms`;
      callback.onException(new OrbitError(why === "closed" ? "SHUT_DOWN" : "OVERLOADED", message));
    });
  }

  /** False: the message goes alone after all. */
  #gather(
    accumulator: Accumulator,
    mode: SendMode,
    message: AnyMessage<unknown>,
    options: SendOptions,
    callback: SendCallback,
  ): boolean {
    this.#checkCapacity();
    const entry = encodeEntry(message, this.#limits, this.#ids);
    if (entry.topic.startsWith(RETRY_PREFIX)) return false;
    this.#checkPlace(entry.topic, options);
    accumulator.put(mode, entry, message, options.queue, callback);
    return true;
  }

  #sendGathered({ mode, entries, first, queue, callback }: Gathered): void {
    let encoded: EncodedMessage;
    try {
      encoded = encodeEntries(entries, this.#limits);
    } catch (error) {
      this.#refuse(fromUnknown(error), callback);
      return;
    }
    if (mode === "async" && this.#room !== undefined)
      this.#enter(this.#room, encoded, first, { queue }, callback);
    else this.#start(mode, encoded, first, { queue }, callback);
  }

  #checkCapacity(): void {
    this.#instance.checkRunning();
    const waiting = this.#room?.waiting ?? 0;
    if (this.#inFlight.size + waiting >= this.#sendsInFlightMax) {
      throw new OrbitError("OVERLOADED", `${this.#inFlight.size + waiting} sends are in flight already`);
    }
  }

  #checkPlace(topic: string, { queue }: SendOptions): void {
    if (this.#context.publishInfos.get(topic) === undefined) checkTopicToSend(topic);
    if (queue !== undefined && this.#context.namespace.wrap(queue.topic) !== topic) {
      throw new OrbitError("INVALID_ARGUMENT", `the queue is of ${queue.topic}, not ${topic}`);
    }
  }

  #admit(
    isBatch: boolean,
    message: AnyMessage<unknown> | AnyMessage<unknown>[],
    options: SendOptions,
  ): EncodedMessage {
    this.#checkCapacity();
    if (options.timeoutMs !== undefined) checkDuration(options, "timeoutMs", options.timeoutMs);
    if (options.signal?.aborted === true) {
      throw new OrbitError("ABORTED", "the signal was aborted before the send", {
        cause: options.signal.reason,
      });
    }
    const encoded = isBatch
      ? encodeBatch(message as AnyMessage<unknown>[], this.#limits, this.#ids)
      : encodeMessage(message as AnyMessage<unknown>, this.#limits, this.#ids);
    if (encoded.isBatch && encoded.topic.startsWith(RETRY_PREFIX)) {
      throw new OrbitError("MESSAGE_INVALID", "a batch cannot go to a retry topic");
    }
    if (encoded.isReply !== true) this.#checkPlace(encoded.topic, options);
    return encoded;
  }

  #settled(send: Send): void {
    this.#inFlight.delete(send);
    // What waits for room goes next: its turn comes with the callback of this one.
    if (this.#inFlight.size === 0 && (this.#room?.waiting ?? 0) === 0) this.#onIdle?.();
  }

  async #stop(deadlineMs: number): Promise<ShutdownResult> {
    const { host } = this.#context;
    const endMs = host.clock.monotonicMs() + deadlineMs;
    this.#accumulator?.flush();
    this.#detector?.stop();
    const before = this.#inFlight.size;
    this.#instance.beginStop();
    await this.#idleWithin(Math.max(deadlineMs - Math.min(UNREGISTER_MS, deadlineMs / 5), 0));
    this.#room?.close();
    const left = [...this.#inFlight];
    for (const send of left) send.giveUp("SHUT_DOWN", "the producer was shut down before the send was over");
    this.#requests.close();
    this.#gauges?.close();
    await this.#trace?.close(Math.max(endMs - UNREGISTER_MS - host.clock.monotonicMs(), TRACE_FLUSH_MS));
    await this.#instance.close(Math.min(endMs - host.clock.monotonicMs(), this.#instance.requestTimeoutMs));
    return { settled: before - left.length, left: left.length };
  }

  #idleWithin(timeoutMs: number): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      let timer: TimerHandle | undefined;
      const done = () => {
        timer?.cancel();
        this.#onIdle = undefined;
        resolve();
      };
      timer = this.#context.host.timers.after(timeoutMs, done);
      this.#onIdle = done;
    });
  }
}
