/**
 * One queue this consumer holds: pulls it, keeps what was pulled until it is consumed, and knows how far the
 * group has got (RocketMQ: PullMessageService with ProcessQueue and PullRequest).
 *
 *   pulling ──messages, or nothing new──▶ pulling
 *      │ ╰──failed, or limited by the broker──▶ pausing ──time passed──▶ pulling
 *      ╰──too much held──▶ full ──enough consumed──▶ pulling
 *   any ──drop──▶ dropped (for good; answers and results that still come are ignored)
 */
import type { TimerHandle } from "@orbitmq/host";
import {
  MASTER_ID,
  type MessageQueue,
  type MessageRecord,
  matchesTag,
  PullSysFlag,
  pullMessageRequestHeader,
  pullMessageResponseHeader,
  type RemotingCommand,
  RequestCode,
  ResponseCode,
  type SubscriptionData,
  type WireError,
} from "@orbitmq/wire";
import type { ClientInstance } from "../client-instance.ts";
import { fromResponse, fromUnknown, fromWireError } from "../error-from.ts";
import type { OrbitError } from "../errors.ts";
import { consumerDefaults } from "./consumer-options.ts";
import type { ConsumerSettings } from "./consumer-settings.ts";
import { Fifo } from "./fifo.ts";
import type { HeldMessage, HeldRecord } from "./held-message.ts";
import type { ListenerRun, RunSource } from "./listener-run.ts";
import type { ListenerRunner } from "./listener-runner.ts";
import { ProcessQueue } from "./process-queue.ts";
import { PullPace } from "./pull-pace.ts";
import { copyRecords, tagOf, topicOf } from "./pulled-record.ts";
import { RetryLater } from "./retry-later.ts";
import { FIRST_RETRY_LEVEL } from "./retry-message.ts";
import type { SendBack } from "./send-back.ts";
import type { Subscription } from "./subscription.ts";

export interface QueueConsumerContext {
  readonly instance: ClientInstance;
  readonly settings: ConsumerSettings;
  readonly runner: ListenerRunner;
  readonly sendBack: SendBack;
  /** The subscription of a message's own topic. */
  subscriptionOf(topic: string): Subscription | undefined;
  consumed(): void;
  failed(record: MessageRecord, queue: MessageQueue, attempts: number, error: OrbitError): void;
  sentBack(record: MessageRecord, queue: MessageQueue, attempts: number): void;
}

const { suspendTimeoutMs, pullTimeoutMs, pullBytesMax } = consumerDefaults;

export class QueueConsumer implements RunSource {
  readonly queue: MessageQueue;
  /** What the broker is known to have; -1 when it may have forgotten. */
  persistedOffset: number;
  readonly #context: QueueConsumerContext;
  readonly #subscription: SubscriptionData;
  readonly #pace: PullPace;
  readonly #retryLater: RetryLater<HeldMessage>;
  readonly #waiting = new Fifo<HeldMessage>();
  /** Failed messages whose time has come; they go first. */
  readonly #again = new Fifo<HeldMessage>();
  readonly #runs = new Set<ListenerRun>();
  #processQueue: ProcessQueue<HeldRecord>;
  #state: "pulling" | "pausing" | "full" | "dropped" = "pausing";
  #timer: TimerHandle | undefined;
  /** Another consumer has it: what becomes of messages is that one's business. */
  #lost = false;
  #suggestedBrokerId = MASTER_ID;
  #maxOffset = 0;

  constructor(
    context: QueueConsumerContext,
    queue: MessageQueue,
    subscription: SubscriptionData,
    startOffset: number,
    persistedOffset: number,
  ) {
    this.#context = context;
    this.queue = queue;
    this.#subscription = subscription;
    this.persistedOffset = persistedOffset;
    this.#processQueue = new ProcessQueue(startOffset);
    this.#pace = new PullPace(context.instance.host.clock);
    this.#retryLater = new RetryLater(context.instance.host, context.settings.reconsumeDelayMs, (message) =>
      this.#comeAgain(message),
    );
  }

  get committableOffset(): number {
    return this.#processQueue.committableOffset;
  }

  get nextOffset(): number {
    return this.#processQueue.nextOffset;
  }

  /** One past the newest message, as of the last answer. */
  get maxOffset(): number {
    return this.#maxOffset;
  }

  get cached(): number {
    return this.#processQueue.count;
  }

  get hasWaiting(): boolean {
    return this.#again.length + this.#waiting.length > 0;
  }

  start(): void {
    this.#pull();
  }

  /** The queue is no longer ours, or the consumer ends: pulls nothing more and forgets what is not begun. */
  stopPulling(): void {
    this.#state = "dropped";
    this.#timer?.cancel();
    this.#retryLater.clear();
    this.#waiting.clear();
    this.#again.clear();
  }

  /** Stops and tells running listeners why; their results do not count any more. */
  drop(reason: OrbitError): void {
    this.#lost = true;
    this.stopPulling();
    for (const run of this.#runs) run.abort(reason);
  }

  take(): readonly HeldMessage[] {
    const from = this.#again.length > 0 ? this.#again : this.#waiting;
    const first = from.shift();
    if (first === undefined) return [];
    const { subscription } = first.payload;
    const messages = [first];
    while (messages.length < (subscription?.messagesMax ?? 1)) {
      if (from.peek()?.payload.subscription !== subscription) break;
      messages.push(from.shift()!);
    }
    return messages;
  }

  began(run: ListenerRun): void {
    this.#runs.add(run);
  }

  ended(run: ListenerRun): void {
    this.#runs.delete(run);
    this.#pullIfRoom();
  }

  #pullIfRoom(): void {
    if (this.#state === "full" && !this.#isFull()) this.#pull();
  }

  succeeded(message: HeldMessage): void {
    this.#context.consumed();
    this.#ended(message, "success", 0);
  }

  failed(message: HeldMessage, error: OrbitError, run: ListenerRun): void {
    const { record, attempts } = message.payload;
    this.#context.failed(record, this.queue, attempts, error);
    if (!run.isShutDown) this.#ended(message, "failure", run.delayLevel);
  }

  timedOut(message: HeldMessage): void {
    if (message.payload.fate !== "held" || this.#context.settings.messageModel === "BROADCASTING") return;
    this.#giveBack(message, FIRST_RETRY_LEVEL);
  }

  #ended(message: HeldMessage, as: "success" | "failure", delayLevel: number): void {
    const { payload } = message;
    payload.endedAs = as;
    if (payload.fate !== "held") return;
    // Broadcast messages have no retry: each consumer is on its own, and no broker counts for it.
    if (as === "success" || this.#context.settings.messageModel === "BROADCASTING") this.#settle(message);
    else this.#giveBack(message, delayLevel);
  }

  #settle(message: HeldMessage): void {
    message.payload.fate = "gone";
    message.payload.processQueue.done(message);
  }

  /** The message is held, and holds the group's offset, until the broker has it. */
  #giveBack(message: HeldMessage, delayLevel: number): void {
    const { payload } = message;
    if (this.#lost || payload.processQueue !== this.#processQueue) return;
    const { record, attempts } = payload;
    payload.fate = "returning";
    const times = record.reconsumeTimes + attempts;
    const level = Number.isInteger(delayLevel) ? delayLevel : 0;
    this.#context.sendBack.put({ record, queue: this.queue, times, delayLevel: level }, (returned) => {
      payload.fate = "held";
      if (returned) {
        this.#settle(message);
        this.#context.sentBack(record, this.queue, attempts);
      } else if (payload.endedAs === "success") this.#settle(message);
      else if (payload.endedAs === "failure") this.#consumeHere(message);
      this.#pullIfRoom();
    });
  }

  /** The broker did not take it back. */
  #consumeHere(message: HeldMessage): void {
    const { payload } = message;
    payload.attempts += 1;
    payload.endedAs = undefined;
    const current = payload.processQueue === this.#processQueue;
    if (this.#state !== "dropped" && current) this.#retryLater.put(message);
  }

  #comeAgain(message: HeldMessage): void {
    this.#again.push(message);
    this.#context.runner.ready(this);
  }

  #isFull(): boolean {
    const { settings } = this.#context;
    const { count, bytes, span } = this.#processQueue;
    return (
      count >= settings.pullThresholdForQueue ||
      bytes >= settings.pullThresholdBytesForQueue ||
      span >= settings.consumeSpanMax
    );
  }

  #pauseFor(delayMs: number): void {
    if (this.#state === "dropped") return;
    this.#state = "pausing";
    this.#timer = this.#context.instance.host.timers.after(delayMs, () => this.#pull());
  }

  #pull(): void {
    if (this.#state === "dropped") return;
    if (this.#isFull()) {
      this.#state = "full";
      return;
    }
    this.#state = "pulling";
    const { instance, settings } = this.#context;
    const { topic, brokerName, queueId } = this.queue;
    const broker = instance.routes.addressOf(brokerName, this.#suggestedBrokerId);
    if (broker === undefined) {
      instance.routes.refreshInBackground(topic);
      this.#pauseFor(this.#pace.afterFailure());
      return;
    }
    const { committableOffset, nextOffset } = this.#processQueue;
    const inCluster = settings.messageModel === "CLUSTERING";
    const commits = inCluster && committableOffset > 0 && broker.brokerId === MASTER_ID;
    const header = {
      consumerGroup: settings.group,
      topic,
      queueId,
      queueOffset: nextOffset,
      maxMsgNums: settings.pullBatchSize,
      sysFlag: PullSysFlag.SUSPEND | (commits ? PullSysFlag.COMMIT_OFFSET : 0),
      commitOffset: commits ? committableOffset : 0,
      suspendTimeoutMillis: suspendTimeoutMs,
      subVersion: this.#subscription.subVersion,
      expressionType: this.#subscription.expressionType,
      maxMsgBytes: pullBytesMax,
    };
    this.#pace.asked();
    instance.rpc.request(
      broker.address,
      {
        code: RequestCode.PULL_MESSAGE,
        header: (sink) => pullMessageRequestHeader.encode(header, sink),
      },
      pullTimeoutMs,
      (error, response) => this.#answered(error, response),
    );
  }

  #answered(error: WireError | undefined, response: RemotingCommand | undefined): void {
    if (this.#state === "dropped") return;
    if (response === undefined) {
      this.#context.instance.routes.refreshInBackground(this.queue.topic);
      this.#failed(fromWireError(error!, this.queue.brokerName));
      return;
    }
    try {
      this.#read(response);
    } catch (thrown) {
      this.#failed(fromUnknown(thrown, this.queue.brokerName));
    }
  }

  /** Throws OrbitError or WireError when the response is a failure or malformed. */
  #read(response: RemotingCommand): void {
    const { code } = response;
    switch (code) {
      case ResponseCode.SUCCESS:
      case ResponseCode.PULL_NOT_FOUND:
      case ResponseCode.PULL_RETRY_IMMEDIATELY:
      case ResponseCode.PULL_OFFSET_MOVED:
        break;
      case ResponseCode.FLOW_CONTROL:
        this.#pauseFor(consumerDefaults.flowControlDelayMs);
        return;
      default:
        throw fromResponse(code, response.remark, this.queue.brokerName);
    }
    const header = pullMessageResponseHeader.decode(response.ext);
    const before = this.#processQueue.nextOffset;
    this.#suggestedBrokerId = header.suggestWhichBrokerId;
    this.#maxOffset = header.maxOffset;
    if (code === ResponseCode.PULL_OFFSET_MOVED) {
      this.#moveTo(header.nextBeginOffset);
    } else {
      if (code === ResponseCode.SUCCESS) this.#hold(copyRecords(response.body));
      this.#processQueue.advanceTo(header.nextBeginOffset);
    }
    const progressed = this.#processQueue.nextOffset !== before;
    const pauseMs =
      code === ResponseCode.SUCCESS && progressed
        ? this.#pace.afterMessages()
        : this.#pace.afterNothing(progressed);
    if (pauseMs > 0) this.#pauseFor(pauseMs);
    else this.#pull();
  }

  #hold(records: readonly MessageRecord[]): void {
    const processQueue = this.#processQueue;
    for (const record of records) {
      if (!matchesTag(this.#subscription, tagOf(record))) continue;
      const subscription = this.#context.subscriptionOf(topicOf(record));
      const held = {
        record,
        processQueue,
        subscription,
        attempts: 0,
        fate: "held",
        endedAs: undefined,
      } as const;
      const message = processQueue.add(record.queueOffset, record.totalSize, held);
      if (message !== undefined) this.#waiting.push(message);
    }
    if (this.hasWaiting) this.#context.runner.ready(this);
  }

  /** The broker does not have the offset asked for (retention, reset, lost tail) and says where to go on. */
  #moveTo(offset: number): void {
    const { topic, brokerName, queueId } = this.queue;
    this.#context.instance.logger.warn(
      { topic, brokerName, queueId, from: this.#processQueue.nextOffset, to: offset },
      "the broker moved the offset of a queue",
    );
    this.#waiting.clear();
    this.#again.clear();
    this.#retryLater.clear();
    this.#processQueue = new ProcessQueue(offset);
  }

  #failed(failure: OrbitError): void {
    if (failure.code === "SHUT_DOWN") return;
    const { topic, brokerName, queueId } = this.queue;
    const { logger, heartbeats } = this.#context.instance;
    logger.warn({ topic, brokerName, queueId, code: failure.code }, `pull: ${failure.message}`);
    const forgotten = failure.code === "SUBSCRIPTION_NOT_EXIST" || failure.code === "SUBSCRIPTION_NOT_LATEST";
    const pauseMs = this.#pace.afterFailure();
    if (!forgotten) this.#pauseFor(pauseMs);
    else {
      this.#state = "pausing";
      heartbeats.beatAll().then(
        () => this.#pauseFor(this.#pace.failures > 1 ? pauseMs : 1),
        () => this.#pauseFor(pauseMs),
      );
    }
  }
}
