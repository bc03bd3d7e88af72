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
  type MessageRequestMode,
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
import type { ClientInstance } from "../../connection/client-instance.ts";
import { fromResponse, fromUnknown, fromWireError } from "../../errors/error-from.ts";
import type { OrbitError, OrbitErrorCode } from "../../errors/errors.ts";
import { consumerDefaults } from "../consumer-options.ts";
import type { ConsumerSettings } from "../consumer-settings.ts";
import type { OffsetSource } from "../offsets/offset-store.ts";
import type { PopQueue } from "../pop/pop-queue.ts";
import type { ConsumeStats } from "../questions/consume-stats.ts";
import type { QueueLocks } from "../rebalance/queue-locks.ts";
import { PullPace } from "./pull-pace.ts";
import { tagOf, viewCopied } from "./pulled-record.ts";
import type { QueueConsumption } from "./queue-consumption.ts";

export interface QueueConsumerContext {
  readonly instance: ClientInstance;
  readonly settings: ConsumerSettings;
  readonly stats: ConsumeStats;
  /** Pulls carry their subscription: the broker need not know it from heartbeats. */
  readonly subscribesByPull: boolean;
  /** Nothing is pulled. */
  isSuspended(): boolean;
  /** Whether the application wants it. */
  accepts(record: MessageRecord, queue: MessageQueue): boolean;
  /** `undefined`: none are needed. */
  locks(): QueueLocks | undefined;
  /** `onRoom`: fewer messages are held than before. */
  newConsumption(queue: MessageQueue, startOffset: number, onRoom: () => void): QueueConsumption;
  /** `undefined`: the members divide queues themselves. */
  assignedByBrokers(): AssignedByBrokers | undefined;
}

/** What a consumer needs whose queues brokers assign. */
export interface AssignedByBrokers {
  newPopQueue(queue: MessageQueue, subscription: SubscriptionData): PopQueue;
  /** How the topic's messages come, as far as the brokers last said. */
  modeOf(topic: string, mode: MessageRequestMode): void;
}

/** A heartbeat tells the broker what it does not know. */
const UNKNOWN_SUBSCRIPTION: ReadonlySet<OrbitErrorCode> = new Set([
  "SUBSCRIPTION_NOT_EXIST",
  "SUBSCRIPTION_NOT_LATEST",
  "FILTER_DATA_NOT_EXIST",
  "FILTER_DATA_NOT_LATEST",
]);
const { suspendTimeoutMs, pullTimeoutMs, pullBytesMax } = consumerDefaults;

export class QueueConsumer implements OffsetSource {
  readonly queue: MessageQueue;
  /** What the broker is known to have; -1 when it may have forgotten. */
  persistedOffset: number;
  readonly #context: QueueConsumerContext;
  readonly #subscription: SubscriptionData;
  /** Queues of the topic that this consumer holds. */
  readonly #queuesHeld: () => number;
  readonly #pace: PullPace;
  readonly #consumption: QueueConsumption;
  #state: "pulling" | "pausing" | "full" | "dropped" = "pausing";
  #timer: TimerHandle | undefined;
  #suggestedBrokerId = MASTER_ID;
  #paused = false;
  /** Counts pulls: the answer to an earlier one than the last does not matter any more. */
  #pulls = 0;
  /** Wall ms of the last pull. */
  #pulledMs = 0;

  constructor(
    context: QueueConsumerContext,
    queue: MessageQueue,
    subscription: SubscriptionData,
    startOffset: number,
    persistedOffset: number,
    queuesHeld: () => number = () => 1,
  ) {
    this.#context = context;
    this.queue = queue;
    this.#subscription = subscription;
    this.persistedOffset = persistedOffset;
    this.#queuesHeld = queuesHeld;
    const onRoom = () => {
      if (this.#state === "full" && !this.#isFull()) this.#pull();
    };
    this.#consumption = context.newConsumption(queue, startOffset, onRoom);
    this.#pace = new PullPace(context.instance.host.clock);
  }

  get committableOffset(): number {
    return this.#consumption.held.committableOffset;
  }

  get nextOffset(): number {
    return this.#consumption.held.nextOffset;
  }

  /** One past the newest message, as of the last answer. */
  get maxOffset(): number {
    return this.#consumption.maxOffset;
  }

  get cached(): number {
    return this.#consumption.held.count;
  }

  start(): void {
    this.#pull();
  }

  /** Somebody moved the group: forgets everything and goes on there. */
  resetTo(offset: number): void {
    if (this.#state === "dropped") return;
    this.#consumption.moveTo(offset);
    this.persistedOffset = -1;
    this.#timer?.cancel();
    this.#pull();
  }

  /** Pulls nothing until {@link resume}. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.mayPull();
  }

  /** What kept it from pulling may be over. */
  mayPull(): void {
    if (this.#state === "full" && !this.#isFull()) this.#pull();
  }

  get isPaused(): boolean {
    return this.#paused;
  }

  get consumption(): QueueConsumption {
    return this.#consumption;
  }

  /** RocketMQ: ProcessQueueInfo. */
  runningInfo(): object {
    const { count, bytes, span, committableOffset } = this.#consumption.held;
    const locks = this.#context.locks();
    return {
      commitOffset: committableOffset,
      cachedMsgMinOffset: count === 0 ? 0 : committableOffset,
      cachedMsgMaxOffset: count === 0 ? 0 : committableOffset + span,
      cachedMsgCount: count,
      cachedMsgSizeInMiB: Math.floor(bytes / (1024 * 1024)),
      transactionMsgMinOffset: 0,
      transactionMsgMaxOffset: 0,
      transactionMsgCount: 0,
      locked: locks?.isHeld(this.queue) ?? false,
      tryUnlockTimes: 0,
      lastLockTimestamp: 0,
      droped: this.#state === "dropped",
      lastPullTimestamp: this.#pulledMs,
      lastConsumeTimestamp: this.#lastConsumedMs,
    };
  }

  /** Wall ms; 0 before the first listener ended. */
  get #lastConsumedMs(): number {
    const { lastEndedMs } = this.#consumption;
    const { clock } = this.#context.instance.host;
    return lastEndedMs === 0 ? 0 : Math.round(clock.wallMs() - (clock.monotonicMs() - lastEndedMs));
  }

  /** The queue is no longer ours, or the consumer ends: pulls nothing more and forgets what is not begun. */
  stopPulling(): void {
    this.#state = "dropped";
    this.#timer?.cancel();
    this.#consumption.stop();
  }

  /** Stops and tells running listeners why; their results do not count any more. */
  drop(reason: OrbitError): void {
    this.stopPulling();
    this.#consumption.lose(reason);
  }

  /** Resolves when no listener runs. */
  idle(): Promise<void> {
    return this.#consumption.idle();
  }

  #isFull(): boolean {
    const { settings } = this.#context;
    const { count, bytes, span } = this.#consumption.held;
    return (
      this.#paused ||
      this.#context.isSuspended() ||
      count >= this.#messagesMax ||
      bytes >= this.#share(settings.pullThresholdBytesForTopic, settings.pullThresholdBytesForQueue) ||
      span >= settings.consumeSpanMax
    );
  }

  /** Messages beyond which nothing is pulled. */
  get #messagesMax(): number {
    const { pullThresholdForTopic, pullThresholdForQueue } = this.#context.settings;
    return this.#share(pullThresholdForTopic, pullThresholdForQueue);
  }

  /** How many messages the next pull asks for. */
  get #batchSize(): number {
    const room = this.#messagesMax - this.#consumption.held.count;
    return Math.min(this.#context.settings.pullBatchSize, Math.max(room, consumerDefaults.pullBatchSizeMin));
  }

  /** What a threshold for the whole topic leaves to this queue. */
  #share(forTopic: number | undefined, forQueue: number): number {
    return forTopic === undefined ? forQueue : Math.max(Math.floor(forTopic / this.#queuesHeld()), 1);
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
    const { committableOffset, nextOffset } = this.#consumption.held;
    const inCluster = settings.messageModel === "CLUSTERING";
    const commits =
      inCluster && settings.autoCommit && committableOffset > 0 && broker.brokerId === MASTER_ID;
    const header = {
      consumerGroup: settings.group,
      topic,
      queueId,
      queueOffset: nextOffset,
      maxMsgNums: this.#batchSize,
      sysFlag:
        PullSysFlag.SUSPEND |
        (commits ? PullSysFlag.COMMIT_OFFSET : 0) |
        (this.#context.subscribesByPull ? PullSysFlag.SUBSCRIPTION : 0),
      commitOffset: commits ? committableOffset : 0,
      suspendTimeoutMillis: suspendTimeoutMs,
      subscription: this.#context.subscribesByPull ? this.#subscription.subString : undefined,
      subVersion: this.#subscription.subVersion,
      expressionType: this.#subscription.expressionType,
      maxMsgBytes: pullBytesMax,
    };
    this.#pace.asked();
    const pull = ++this.#pulls;
    this.#pulledMs = instance.host.clock.wallMs();
    instance.rpc.request(
      broker.address,
      {
        code: RequestCode.PULL_MESSAGE,
        header: (sink) => pullMessageRequestHeader.encode(header, sink),
      },
      pullTimeoutMs,
      (error, response) => {
        if (pull === this.#pulls) this.#answered(error, response);
      },
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
    const before = this.#consumption.held.nextOffset;
    this.#suggestedBrokerId = header.suggestWhichBrokerId;
    this.#consumption.maxOffset = header.maxOffset;
    if (code === ResponseCode.PULL_OFFSET_MOVED) {
      this.#moveTo(header.nextBeginOffset);
    } else {
      if (code === ResponseCode.SUCCESS) {
        const records = viewCopied(response.body);
        const { clock } = this.#context.instance.host;
        const ms = clock.wallMs() - this.#pulledMs;
        const stats = this.#context.stats.topic(this.queue.topic);
        stats.pulled(clock.monotonicMs(), records.length, Math.max(ms, 0));
        this.#hold(records);
      }
      this.#consumption.held.advanceTo(header.nextBeginOffset);
    }
    const progressed = this.#consumption.held.nextOffset !== before;
    const pauseMs =
      code === ResponseCode.SUCCESS && progressed
        ? this.#pace.afterMessages()
        : this.#pace.afterNothing(progressed);
    if (pauseMs > 0) this.#pauseFor(pauseMs);
    else this.#pull();
  }

  #hold(records: readonly MessageRecord[]): void {
    const choosesTags = this.#subscription.tagsSet.size > 0;
    for (const record of records) {
      if (choosesTags && !matchesTag(this.#subscription, tagOf(record))) continue;
      if (this.#context.accepts(record, this.queue)) this.#consumption.hold(record);
    }
    this.#consumption.announce();
  }

  /** The broker does not have the offset asked for (retention, reset, lost tail) and says where to go on. */
  #moveTo(offset: number): void {
    const { topic, brokerName, queueId } = this.queue;
    this.#context.instance.logger.warn(
      { topic, brokerName, queueId, from: this.#consumption.held.nextOffset, to: offset },
      "the broker moved the offset of a queue",
    );
    this.#consumption.moveTo(offset);
  }

  #failed(failure: OrbitError): void {
    if (failure.code === "SHUT_DOWN") return;
    const { topic, brokerName, queueId } = this.queue;
    const { logger, heartbeats } = this.#context.instance;
    logger.warn({ topic, brokerName, queueId, code: failure.code }, `pull: ${failure.message}`);
    const forgotten = UNKNOWN_SUBSCRIPTION.has(failure.code);
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
