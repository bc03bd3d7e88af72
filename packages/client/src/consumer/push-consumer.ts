/**
 * Consumes topics together with the other members of its group (RocketMQ: DefaultMQPushConsumer). The
 * parts: one TopicMember per topic divides queues, one QueueConsumer per held queue pulls, one ListenerRunner runs
 * listeners, SendBack returns what failed, an OffsetStore keeps how far the group is. Its life is the client
 * instance's (client-instance.ts).
 *
 * Shutdown, in order: stop pulling; let running listeners end, warned by their signals when the deadline nears;
 * let what is sent back arrive; persist offsets; unregister; close.
 */
import type { Host, TimerHandle } from "@orbitmq/host";
import {
  type ConsumerData,
  notifyConsumerIdsChangedRequestHeader,
  popNormalTopicOf,
  RequestCode,
} from "@orbitmq/wire";
import { stableClientId } from "../client-id.ts";
import { ClientInstance } from "../client-instance.ts";
import { SHUTDOWN_DEADLINE_MS, type ShutdownOptions, type ShutdownResult } from "../client-options.ts";
import { fromUnknown } from "../error-from.ts";
import { OrbitError } from "../errors.ts";
import { checkTopic, retryTopicOf } from "../names.ts";
import { checkInteger } from "../option-checks.ts";
import { InnerSender } from "../producer/inner-sender.ts";
import { type Topic, topicName } from "../typed-topic.ts";
import { within } from "../within.ts";
import { consumerData } from "./consumer-data.ts";
import { consumerDefaults, type PushConsumerOptions } from "./consumer-options.ts";
import { type ConsumerSettings, consumerSettings } from "./consumer-settings.ts";
import type {
  ListenBatchOptions,
  ListenOptions,
  MessageBatchListener,
  MessageListener,
  OrderlyMessageBatchListener,
  OrderlyMessageListener,
} from "./listener.ts";
import { rawMessage } from "./listening/decode-message.ts";
import { ListenerRunner } from "./listening/listener-runner.ts";
import type { ListeningContext } from "./listening/listening-context.ts";
import { newMessageFilter } from "./message-filter.ts";
import { checkWithBroker, type SelectorOptions, type SqlExpression } from "./message-selector.ts";
import { LocalOffsets } from "./offsets/local-offsets.ts";
import { OffsetPersister } from "./offsets/offset-persister.ts";
import type { OffsetStore } from "./offsets/offset-store.ts";
import { maxOffset } from "./offsets/queue-offsets.ts";
import { PopQueue } from "./pop/pop-queue.ts";
import { PopRequests } from "./pop/pop-requests.ts";
import { PopRetryTopics } from "./pop/pop-retry-topics.ts";
import type { PushConsumerStatus } from "./push-consumer-status.ts";
import { BrokerQuestions } from "./questions/broker-questions.ts";
import { ConsumeStats } from "./questions/consume-stats.ts";
import { ConcurrentConsumption } from "./queue/concurrent-consumption.ts";
import { OrderlyConsumption } from "./queue/orderly-consumption.ts";
import type { AssignedByBrokers, QueueConsumer } from "./queue/queue-consumer.ts";
import { QueueLocks } from "./rebalance/queue-locks.ts";
import { TopicMember } from "./rebalance/topic-member.ts";
import { SendBack } from "./retry/send-back.ts";
import { type AnyListener, newSubscription, type Subscription } from "./subscription.ts";

/** Shares of a shutdown's deadline after which running listeners are warned, and no longer waited for. */
const WARN_SHARE = 0.7;
const WAIT_SHARE = 0.9;
const BATCH_MESSAGES_MAX = 1_024;

/** Throws INVALID_ARGUMENT. */
function messagesMaxOf(options: ListenBatchOptions): number {
  return checkInteger(options, "messagesMax", consumerDefaults.batchMessagesMax, 1, BATCH_MESSAGES_MAX);
}

export class PushConsumer {
  readonly #instance: ClientInstance;
  readonly #settings: ConsumerSettings;
  readonly #runner: ListenerRunner;
  readonly #offsets: OffsetStore;
  readonly #sender: InnerSender;
  readonly #sendBack: SendBack;
  readonly #locks: QueueLocks;
  readonly #popRequests: PopRequests;
  readonly #context: ListeningContext;
  readonly #subscriptions = new Map<string, Subscription>();
  /** Messages that members of the group sent back for a retry; they go to their own topic's listener. */
  readonly #retrySubscription: Subscription;
  readonly #popRetries: PopRetryTopics;
  /** Of topics nobody listens to any more; what they have popped may still be with its listener. */
  readonly #left: TopicMember[] = [];
  readonly #members = new Map<string, TopicMember>();
  #suspended = false;
  #kind: "concurrent" | "orderly" | undefined;
  #timers: TimerHandle[] = [];
  #consumed = 0;
  #failed = 0;
  #sentBack = 0;
  #shutdown: Promise<ShutdownResult> | undefined;

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: PushConsumerOptions) {
    this.#settings = consumerSettings(options);
    const { group, from, maxReconsumeTimes, orderlyReconsumeTimesMax } = this.#settings;
    // A broadcasting consumer must find its offsets again: its id is the same after every start.
    const clientId = options.clientId ?? (this.#broadcasts ? stableClientId(host) : undefined);
    this.#instance = new ClientInstance(
      host,
      { ...options, clientId },
      { consumers: () => [this.#consumerData()] },
    );
    const { logger, routes, rpc, namespace } = this.#instance;
    const retryTopic = retryTopicOf(group);
    // Its messages go to their own topics' listeners.
    const ofRetries = (name: string) =>
      newSubscription(name, {}, 1, () => "RECONSUME_LATER", host.clock.wallMs(), namespace);
    this.#retrySubscription = ofRetries(retryTopic);
    this.#runner = new ListenerRunner(host, logger, this.#settings);
    const folder = options.localOffsetsFolder ?? `${host.process.homeFolder}/.rocketmq_offsets`;
    this.#offsets = this.#broadcasts
      ? new LocalOffsets(this.#instance, group, from, folder)
      : new OffsetPersister(this.#instance, group, from);
    this.#sender = new InnerSender(this.#instance);
    this.#sendBack = new SendBack(this.#instance, this.#sender, group, () =>
      this.#kind === "orderly" ? orderlyReconsumeTimesMax : maxReconsumeTimes,
    );
    this.#locks = new QueueLocks(this.#instance, group, (queue) => {
      this.#members.get(queue.topic)?.lockLost(queue);
    });
    this.#popRequests = new PopRequests(this.#instance, group);
    this.#popRetries = new PopRetryTopics({
      group,
      newSubscription: ofRetries,
      join: (subscription) => this.#joinLate(subscription),
      leave: (topic) => this.#instance.background("leaving a retry topic", () => this.#leave(topic)),
    });
    const assigned: AssignedByBrokers = {
      newPopQueue: (queue, data) => new PopQueue(this.#context, this.#popRequests, queue, data),
      modeOf: (topic, mode) => {
        if (this.#subscriptions.has(topic)) this.#popRetries.read(topic, mode === "PULL");
      },
    };
    this.#context = {
      assignedByBrokers: () =>
        this.#settings.clientRebalance || this.#kind === "orderly" || this.#broadcasts ? undefined : assigned,
      isSuspended: () => this.#suspended,
      accepts: newMessageFilter(this.#instance, this.#settings.filterHooks),
      subscribesByPull: false,
      newConsumption: (queue, startOffset, onRoom) =>
        this.#kind === "orderly"
          ? new OrderlyConsumption(this.#context, queue, startOffset, onRoom)
          : new ConcurrentConsumption(this.#context, queue, startOffset, onRoom),
      instance: this.#instance,
      settings: this.#settings,
      runner: this.#runner,
      sendBack: this.#sendBack,
      stats: new ConsumeStats(host.clock),
      // A consumer is of one kind, which its first listener decides.
      isInOrder: () => this.#kind === "orderly",
      locks: () => (this.#kind === "orderly" && !this.#broadcasts ? this.#locks : undefined),
      subscriptionOf: (topic) =>
        this.#subscriptions.get(topic) ?? this.#subscriptions.get(popNormalTopicOf(topic, group)),
      consumed: () => {
        this.#consumed += 1;
      },
      failed: (record, queue, attempts, error) => {
        this.#failed += 1;
        const { topic, brokerName, queueId } = queue;
        const offset = record.queueOffset;
        logger.warn(
          { code: error.code, topic, brokerName, queueId, offset, attempts },
          `consuming failed: ${error.message}`,
        );
        const { onConsumeFailure } = this.#settings;
        if (onConsumeFailure === undefined) return;
        this.#tell("onConsumeFailure", () =>
          onConsumeFailure(error, rawMessage(record, queue, attempts, namespace)),
        );
      },
      sentBack: (record, queue, attempts) => {
        this.#sentBack += 1;
        const { onSentBack } = this.#settings;
        if (onSentBack === undefined) return;
        this.#tell("onSentBack", () => onSentBack(rawMessage(record, queue, attempts, namespace)));
      },
    };
    new BrokerQuestions(this.#instance, {
      group,
      concurrency: this.#settings.concurrency,
      isInOrder: this.#context.isInOrder,
      startedMs: host.clock.wallMs(),
      stats: this.#context.stats,
      offsets: this.#offsets,
      subscriptions: () => this.#allSubscriptions(),
      subscriptionOf: this.#context.subscriptionOf,
      queues: () => this.#queues(),
      popQueues: () => this.#popQueues(),
    });
    routes.onChange((topic) => this.#members.get(topic)?.routeChanged());
    rpc.handle(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, (request) => {
      const { consumerGroup } = notifyConsumerIdsChangedRequestHeader.decode(request.ext);
      if (consumerGroup === this.#settings.group) for (const member of this.#members.values()) member.wake();
    });
    rpc.onConnection((address, _peer, open) => {
      if (open) this.#doubtOffsets(address);
    });
  }

  /**
   * Runs `listener` for each message of `topic`; before or after `start`. Each topic has one listener: a second
   * one throws INVALID_ARGUMENT, as do a bad topic name and a tag expression without tags.
   */
  listen(topic: string, listener: MessageListener, options?: ListenOptions): void;
  listen<T>(topic: Topic<T>, listener: MessageListener<T>, options?: ListenOptions): void;
  listen(topic: string | Topic<unknown>, listener: unknown, options: ListenOptions = {}): void {
    const one = listener as MessageListener<unknown>;
    this.#listen(topic, options, 1, one, (messages, context) => one(messages[0]!, context));
  }

  /**
   * As `listen`, but the messages of a queue come one after the other, each when the one before it is done, and no
   * other member of the group has the queue meanwhile (RocketMQ: MessageListenerOrderly). What fails holds its queue
   * up. A consumer has listeners of one kind: the other kind throws INVALID_ARGUMENT.
   */
  listenOrderly(topic: string, listener: OrderlyMessageListener, options?: ListenOptions): void;
  listenOrderly<T>(topic: Topic<T>, listener: OrderlyMessageListener<T>, options?: ListenOptions): void;
  listenOrderly(topic: string | Topic<unknown>, listener: unknown, options: ListenOptions = {}): void {
    const one = listener as OrderlyMessageListener<unknown>;
    const run: AnyListener = (messages, context) => one(messages[0]!, context);
    this.#listen(topic, options, 1, one, run, "orderly");
  }

  /** As `listenOrderly`, for lists: the result counts for all of one. */
  listenOrderlyBatch(
    topic: string,
    listener: OrderlyMessageBatchListener,
    options?: ListenBatchOptions,
  ): void;
  listenOrderlyBatch<T>(
    topic: Topic<T>,
    listener: OrderlyMessageBatchListener<T>,
    options?: ListenBatchOptions,
  ): void;
  listenOrderlyBatch(
    topic: string | Topic<unknown>,
    listener: unknown,
    options: ListenBatchOptions = {},
  ): void {
    this.#listen(topic, options, messagesMaxOf(options), listener, listener as AnyListener, "orderly");
  }

  /** `listen` with RocketMQ's order of arguments; `selector`: `*`, tags joined by `||`, or `sql("…")`. */
  subscribe(topic: string, selector: string | SqlExpression, listener: MessageListener): void;
  subscribe<T>(topic: Topic<T>, selector: string | SqlExpression, listener: MessageListener<T>): void;
  subscribe(topic: string | Topic<unknown>, selector: string | SqlExpression, listener: unknown): void {
    const options = typeof selector === "string" ? { tags: selector } : { sql: selector.sql };
    this.listen(topic as Topic<unknown>, listener as MessageListener<unknown>, options);
  }

  /** The listener takes a list of messages of one queue; its result counts for all of it. */
  listenBatch(topic: string, listener: MessageBatchListener, options?: ListenBatchOptions): void;
  listenBatch<T>(topic: Topic<T>, listener: MessageBatchListener<T>, options?: ListenBatchOptions): void;
  listenBatch(topic: string | Topic<unknown>, listener: unknown, options: ListenBatchOptions = {}): void {
    this.#listen(topic, options, messagesMaxOf(options), listener, listener as AnyListener);
  }

  /**
   * Joins the group and begins to consume. Resolves when a NameServer has answered and the queues of every
   * subscribed topic that exists were divided, or after `startTimeoutMs` if a broker does not answer (it is
   * tried on); a message sent after that to a topic consumed from "last" is not missed. Rejects with
   * NAME_SERVER_UNREACHABLE after `startTimeoutMs`, with SUBSCRIPTION_PARSE_FAILED when a broker finds a SQL92
   * expression illegal.
   */
  start(): Promise<void> {
    return this.#instance.start(() => this.#begin());
  }

  /**
   * Listens no longer to a topic: its queues go to other members, its listener may run on. The brokers are told at once.
   * Resolves when what was consumed is committed; does nothing for a topic without a listener.
   */
  async unsubscribe(topic: string): Promise<void> {
    const name = this.#settings.namespace.wrap(topic);
    if (!this.#subscriptions.delete(name)) return;
    this.#popRetries.read(name, false);
    await this.#leave(name);
  }

  /** Pulls nothing until `resume`; what is here already is consumed (RocketMQ: suspend). */
  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
    for (const queue of [...this.#queues(), ...this.#popQueues()]) queue.mayPull();
  }

  /**
   * Passes over everything that is stored now and not consumed, in the queues of `topic` that this member holds (all
   * topics without it), and commits that. A listener that runs goes on; how it ends does not count. Rejects when a
   * broker does not answer; some queues may have been moved then.
   */
  async skipBacklog(topic?: string): Promise<void> {
    this.#instance.checkRunning();
    const name = topic === undefined ? undefined : this.#settings.namespace.wrap(topic);
    const queues = this.#userMembers()
      .filter((member) => name === undefined || member.topic === name)
      .flatMap((member) => [...member.queues]);
    await Promise.all(
      queues.map(async (held) => {
        held.resetTo(await maxOffset(this.#instance, held.queue));
        await this.#offsets.persist(held);
      }),
    );
  }

  status(): PushConsumerStatus {
    const { state, clientId, namespace } = this.#instance;
    const members = this.#userMembers();
    return {
      state,
      ready: state === "running" && members.every((member) => member.isReady),
      group: namespace.unwrap(this.#settings.group),
      clientId,
      topicsWithoutRoute: members
        .filter((member) => member.isAbsent)
        .map((member) => namespace.unwrap(member.topic)),
      suspended: this.#suspended,
      queues: this.#queues().map(({ queue, cached, committableOffset, nextOffset, maxOffset }) => ({
        queue: namespace.unwrapQueue(queue),
        cached,
        committableOffset,
        nextOffset,
        maxOffset,
      })),
      popQueues: this.#popQueues().map(({ queue, cached }) => ({
        queue: namespace.unwrapQueue(queue),
        cached,
      })),
      listenersRunning: this.#runner.running,
      consumed: this.#consumed,
      failed: this.#failed,
      sentBack: this.#sentBack,
    };
  }

  /**
   * Stops pulling, lets running listeners finish, persists offsets, unregisters. Messages not begun are left to
   * the group. Twice is once. Never rejects.
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownResult> {
    this.#shutdown ??= this.#stop(options.deadlineMs ?? SHUTDOWN_DEADLINE_MS);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #listen(
    topic: string | Topic<unknown>,
    selector: SelectorOptions,
    messagesMax: number,
    given: unknown,
    run: AnyListener,
    kind: "concurrent" | "orderly" = "concurrent",
  ): void {
    const { state, host, namespace } = this.#instance;
    const name = namespace.wrap(topicName(topic));
    checkTopic(name);
    if (typeof given !== "function") throw new OrbitError("INVALID_ARGUMENT", "the listener is no function");
    if (this.#subscriptions.has(name)) {
      throw new OrbitError("INVALID_ARGUMENT", `${name} has a listener already`);
    }
    if (state === "stopping" || state === "stopped") throw new OrbitError("SHUT_DOWN", "the consumer ended");
    const subscription = newSubscription(topic, selector, messagesMax, run, host.clock.wallMs(), namespace);
    if ((this.#kind ?? kind) !== kind) {
      throw new OrbitError(
        "INVALID_ARGUMENT",
        `the consumer's listeners are ${this.#kind}; give it no other kind`,
      );
    }
    this.#kind = kind;
    this.#subscriptions.set(name, subscription);
    if (state === "running") {
      const { group } = this.#settings;
      this.#instance.background("subscription", () =>
        checkWithBroker(this.#instance, group, subscription.data),
      );
      this.#joinLate(subscription);
    }
  }

  /** The brokers hear of it at once. */
  #joinLate(subscription: Subscription): void {
    const member = this.#join(subscription);
    this.#instance.background("heartbeat", async () => {
      await this.#instance.heartbeats.beatAll();
      member.wake();
    });
  }

  async #leave(topic: string): Promise<void> {
    const member = this.#members.get(topic);
    if (member === undefined) return;
    this.#members.delete(topic);
    this.#left.push(member);
    await member.leave();
    await this.#instance.heartbeats.beatAll();
  }

  #join(subscription: Subscription): TopicMember {
    const member = new TopicMember(this.#context, this.#offsets, subscription);
    this.#members.set(subscription.topic, member);
    return member;
  }

  async #begin(): Promise<void> {
    const { host, heartbeats, startTimeoutMs } = this.#instance;
    this.#kind ??= "concurrent";
    const { group } = this.#settings;
    await Promise.all(
      [...this.#subscriptions.values()].map(({ data }) => checkWithBroker(this.#instance, group, data)),
    );
    if (this.#context.locks() !== undefined) this.#locks.start();
    for (const subscription of this.#subscriptions.values()) this.#join(subscription);
    if (!this.#broadcasts) this.#join(this.#retrySubscription);
    const { offsetPersistIntervalMs, rebalanceIntervalMs } = this.#settings;
    this.#timers = [
      host.timers.every(offsetPersistIntervalMs, () => {
        this.#instance.background("commit", () => this.#offsets.persistAll(this.#queues()));
      }),
      host.timers.every(rebalanceIntervalMs, () => {
        for (const member of this.#members.values()) member.wake();
      }),
    ];
    this.#instance.background("heartbeat", () => heartbeats.beatAll());
    for (const member of this.#members.values()) member.wake();
    await within(
      host.timers,
      startTimeoutMs,
      this.#userMembers().map((member) => member.first()),
    );
  }

  #consumerData(): ConsumerData {
    const subscriptions = this.#allSubscriptions().map(({ data }) => data);
    return consumerData(this.#settings, "CONSUME_PASSIVELY", subscriptions);
  }

  #allSubscriptions(): Subscription[] {
    const retries = this.#broadcasts ? [] : [this.#retrySubscription, ...this.#popRetries.subscriptions];
    return [...this.#subscriptions.values(), ...retries];
  }

  get #broadcasts(): boolean {
    return this.#settings.messageModel === "BROADCASTING";
  }

  #userMembers(): TopicMember[] {
    return [...this.#members.values()].filter((member) => this.#subscriptions.has(member.topic));
  }

  #queues(): QueueConsumer[] {
    return [...this.#members.values()].flatMap((member) => [...member.queues]);
  }

  #popQueues(): PopQueue[] {
    return [...this.#members.values()].flatMap((member) => [...member.popQueues]);
  }

  /** A broker that was reconnected may have been restarted and lost its latest offsets. */
  #doubtOffsets(address: string): void {
    const { routes } = this.#instance;
    for (const queue of this.#queues()) {
      if (routes.masterOf(queue.queue.brokerName) === address) queue.persistedOffset = -1;
    }
  }

  /** A callback of the application's must not end the consumption. */
  #tell(name: string, call: () => void): void {
    try {
      call();
    } catch (thrown) {
      const reason = fromUnknown(thrown).message;
      this.#instance.logger.error({ code: "INTERNAL", err: thrown }, `${name} threw: ${reason}`);
    }
  }

  async #stop(deadlineMs: number): Promise<ShutdownResult> {
    const { host, requestTimeoutMs } = this.#instance;
    const endMs = host.clock.monotonicMs() + deadlineMs;
    const remainingMs = () => Math.max(endMs - host.clock.monotonicMs(), 1);
    this.#instance.beginStop();
    for (const timer of this.#timers) timer.cancel();
    this.#locks.stop();
    const queues = [...this.#members.values()].flatMap((member) => member.stop());
    this.#runner.stop();
    const before = this.#runner.messagesRunning;
    const warning = host.timers.after(deadlineMs * WARN_SHARE, () => {
      this.#runner.abortAll(new OrbitError("SHUT_DOWN", "the consumer shuts down and its deadline nears"));
    });
    await this.#runner.idleWithin(deadlineMs * WAIT_SHARE);
    warning.cancel();
    const left = this.#runner.messagesRunning;
    this.#runner.abortAll(new OrbitError("SHUT_DOWN", "the consumer was shut down"));
    this.#runner.close();
    for (const member of [...this.#members.values(), ...this.#left]) member.close();
    await within(host.timers, remainingMs() * 0.6, [
      this.#sendBack.idle().then(() => this.#popRequests.idle()),
    ]);
    this.#popRequests.stop();
    this.#sender.close();
    const persisted = this.#offsets.persistAll(queues);
    // Those whose listener still runs stay locked until the broker forgets them.
    const ended = left === 0 ? persisted.then(() => this.#locks.unlockAll()) : persisted;
    await within(host.timers, remainingMs() * 0.6, [ended]);
    await this.#instance.close(Math.min(remainingMs(), requestTimeoutMs));
    return { settled: before - left, left };
  }
}
