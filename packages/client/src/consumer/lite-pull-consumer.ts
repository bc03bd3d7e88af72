/**
 * Hands out messages when the application asks for them (RocketMQ: DefaultLitePullConsumer). Either the group divides
 * the queues of the topics subscribed to, or the application assigns queues itself; never both.
 *
 * Asking for the next messages marks those before as done, and only what is done is committed. A queue that goes to
 * another member takes its messages with it, done or not.
 */
import type { Host, TimerHandle } from "@orbitmq/host";
import { type ConsumerData, notifyConsumerIdsChangedRequestHeader, RequestCode } from "@orbitmq/wire";
import { stableClientId } from "../connection/client-id.ts";
import { ClientInstance } from "../connection/client-instance.ts";
import { queueKey } from "../connection/topic-queues.ts";
import { OrbitError } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { checkTopic } from "../names/names.ts";
import { type ClientState, SHUTDOWN_DEADLINE_MS, type ShutdownOptions } from "../options/client-options.ts";
import { checkDuration, checkInteger } from "../options/option-checks.ts";
import { ClientGauges } from "../telemetry/client-gauges.ts";
import { ConsumeTelemetry } from "../telemetry/consume-telemetry.ts";
import { loadTelemetry, wantsTelemetry } from "../telemetry/load-telemetry.ts";
import { ConsumeTrace } from "../trace/consume-trace.ts";
import { newTraceDispatcher } from "../trace/trace-dispatcher.ts";
import { consumerData } from "./consumer-data.ts";
import { type ConsumerSettings, consumerSettings } from "./consumer-settings.ts";
import type { ListenOptions } from "./listener.ts";
import { decodeMessage, Undecodable } from "./listening/decode-message.ts";
import {
  type LitePullConsumerOptions,
  litePullDefaults,
  type MessagesOptions,
  type PollOptions,
} from "./lite-pull-options.ts";
import { newMessageFilter } from "./message-filter.ts";
import { type SelectorOptions, subscriptionTo } from "./message-selector.ts";
import { LocalOffsets } from "./offsets/local-offsets.ts";
import { OffsetPersister } from "./offsets/offset-persister.ts";
import type { OffsetStore } from "./offsets/offset-store.ts";
import { committedOffset, maxOffset, minOffset } from "./offsets/queue-offsets.ts";
import { ConsumeStats } from "./questions/consume-stats.ts";
import { PolledConsumption } from "./queue/polled-consumption.ts";
import { QueueConsumer, type QueueConsumerContext } from "./queue/queue-consumer.ts";
import { TopicMember } from "./rebalance/topic-member.ts";
import type { Subscription } from "./subscription.ts";

type Wanted = Pick<Subscription, "topic" | "data">;

export class LitePullConsumer {
  readonly #instance: ClientInstance;
  readonly #settings: ConsumerSettings;
  readonly #offsets: OffsetStore;
  readonly #context: QueueConsumerContext;
  readonly #subscriptions = new Map<string, Wanted>();
  readonly #members = new Map<string, TopicMember>();
  /** Queues the application assigned; `undefined` while it subscribes. */
  #assigned: Map<string, QueueConsumer> | undefined;
  readonly #paused = new Set<string>();
  /** Where the next search for a message begins, so that no queue starves. */
  #turn = 0;
  readonly #trace: ConsumeTrace | undefined;
  readonly #telemetryOption: LitePullConsumerOptions["telemetry"];
  #telemetry: ConsumeTelemetry | undefined;
  #gauges: ClientGauges | undefined;
  #wake: (() => void) | undefined;
  #timers: TimerHandle[] = [];
  #shutdown: Promise<void> | undefined;

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: LitePullConsumerOptions) {
    this.#settings = { ...consumerSettings(options), autoCommit: options.autoCommit ?? true };
    const { group, from } = this.#settings;
    this.#telemetryOption = options.telemetry;
    const broadcasts = this.#settings.messageModel === "BROADCASTING";
    const clientId = options.clientId ?? (broadcasts ? stableClientId(host) : undefined);
    const groups = { consumers: () => [this.#consumerData()] };
    this.#instance = new ClientInstance(host, { ...options, clientId }, groups);
    const folder = options.localOffsetsFolder ?? `${host.process.homeFolder}/.rocketmq_offsets`;
    this.#offsets = broadcasts
      ? new LocalOffsets(this.#instance, group, from, folder)
      : new OffsetPersister(this.#instance, group, from);
    this.#context = {
      instance: this.#instance,
      settings: this.#settings,
      stats: new ConsumeStats(host.clock),
      subscribesByPull: true,
      isSuspended: () => false,
      assignedByBrokers: () => undefined,
      accepts: newMessageFilter(this.#instance, this.#settings.filterHooks),
      locks: () => undefined,
      newConsumption: (queue, startOffset, onRoom) =>
        new PolledConsumption(queue, startOffset, () => this.#notify(), onRoom),
    };
    const plainGroup = this.#instance.namespace.unwrap(group);
    const dispatcher = newTraceDispatcher(this.#instance, plainGroup, "CONSUME", options.trace);
    if (dispatcher !== undefined) this.#trace = new ConsumeTrace(host, dispatcher);
    const { routes, rpc } = this.#instance;
    routes.onChange((topic) => this.#members.get(topic)?.routeChanged());
    rpc.handle(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, (request) => {
      const { consumerGroup } = notifyConsumerIdsChangedRequestHeader.decode(request.ext);
      if (consumerGroup === group) for (const member of this.#members.values()) member.wake();
    });
  }

  get state(): ClientState {
    return this.#instance.state;
  }

  /** Takes part in a topic, before or after `start`. Throws INVALID_ARGUMENT after `assign`. */
  subscribe(topic: string, options: ListenOptions = {}): void {
    if (this.#assigned !== undefined) throw exclusive();
    const wanted = this.#wanted(topic, options);
    if (this.#subscriptions.has(wanted.topic))
      throw new OrbitError("INVALID_ARGUMENT", `${topic} is subscribed to already`);
    this.#subscriptions.set(wanted.topic, wanted);
    if (this.state !== "running") return;
    const member = this.#join(wanted);
    this.#instance.background("heartbeat", async () => {
      await this.#instance.heartbeats.beatAll();
      member.wake();
    });
  }

  /**
   * Takes exactly these queues, whoever else has them; after `start`. Queues assigned before and not named now are
   * let go. Resolves when each is being pulled; rejects when the group's offset of one cannot be found out. Throws
   * INVALID_ARGUMENT after `subscribe`.
   */
  async assign(queues: readonly MessageQueue[], options: SelectorOptions = {}): Promise<void> {
    if (this.#subscriptions.size > 0) throw exclusive();
    this.#instance.checkRunning();
    const assigned = this.#assigned ?? new Map<string, QueueConsumer>();
    this.#assigned = assigned;
    const { namespace } = this.#settings;
    const wrapped = queues.map((queue) => namespace.wrapQueue(queue));
    const wanted = new Map(wrapped.map((queue) => [queueKey(queue), queue]));
    for (const [key, consumer] of assigned) {
      if (wanted.has(key)) continue;
      assigned.delete(key);
      await this.#letGo(consumer);
    }
    for (const [key, queue] of wanted) {
      if (assigned.has(key)) continue;
      const { data } = this.#wanted(queue.topic, options);
      await this.#instance.route(queue.topic);
      const { offset, isNew } = await this.#offsets.start(queue, false);
      if (assigned.has(key) || this.state !== "running") continue;
      const consumer = new QueueConsumer(this.#context, queue, data, offset, isNew ? -1 : offset);
      if (this.#paused.has(key)) consumer.pause();
      assigned.set(key, consumer);
      consumer.start();
    }
  }

  /** Resolves when a NameServer has answered and the queues of subscribed topics that exist are divided. */
  start(): Promise<void> {
    return this.#instance.start(() => this.#begin());
  }

  /** The queues held now. */
  assignment(): MessageQueue[] {
    return this.#queues().map(({ queue }) => this.#settings.namespace.unwrapQueue(queue));
  }

  /**
   * The next messages, of one queue or several, each queue's in order; empty after `timeoutMs`. What earlier calls
   * returned is done. Rejects with NOT_RUNNING, SHUT_DOWN, or BODY_UNREADABLE for a message whose
   * body cannot be decompressed, which comes alone; the call after that goes on behind it.
   */
  async poll(options: PollOptions = {}): Promise<ReceivedMessage[]> {
    this.#instance.checkRunning();
    const timeoutMs = checkDuration(options, "timeoutMs", litePullDefaults.pollTimeoutMs);
    const max = checkInteger(options, "messagesMax", litePullDefaults.pollMessagesMax, 1);
    this.#done();
    const { clock } = this.#instance.host;
    const startedMs = clock.monotonicMs();
    const endMs = startedMs + timeoutMs;
    for (;;) {
      const messages = await this.#take(max);
      this.#telemetry?.handedOut("poll", messages, startedMs);
      const leftMs = endMs - clock.monotonicMs();
      if (messages.length > 0 || leftMs <= 0 || this.state !== "running") return messages;
      await this.#messagesWithin(leftMs, undefined);
    }
  }

  /**
   * Iterates over messages; asking for the next marks the one before as done. `break` and a throw in the loop leave the
   * message handed out last to the group. However the loop ends, the consumer is shut down: its queues go to others.
   */
  async *messages({ signal }: MessagesOptions = {}): AsyncGenerator<ReceivedMessage, void, undefined> {
    this.#instance.checkRunning();
    try {
      while (signal?.aborted !== true && this.state === "running") {
        const startedMs = this.#instance.host.clock.monotonicMs();
        const [message] = await this.#take(1);
        if (message !== undefined) this.#telemetry?.handedOut("poll", [message], startedMs);
        if (message === undefined) await this.#messagesWithin(undefined, signal);
        else {
          yield message;
          this.#done();
        }
      }
    } finally {
      await this.shutdown();
    }
  }

  /** Marks everything handed out as done and tells the brokers so. Resolves when they know, or the attempt failed. */
  async commit(): Promise<void> {
    this.#instance.checkRunning();
    this.#done();
    await this.#offsets.persistAll(this.#queues());
  }

  /** What the group has committed in a queue; `undefined`: nothing. */
  async committed(shown: MessageQueue): Promise<number | undefined> {
    const queue = this.#settings.namespace.wrapQueue(shown);
    await this.#instance.route(queue.topic);
    return committedOffset(this.#instance, this.#settings.group, queue, true);
  }

  /** Goes on at `offset`; what was handed out of the queue is not done. Rejects with INVALID_ARGUMENT outside the queue. */
  async seek(queue: MessageQueue, offset: number): Promise<void> {
    const consumer = this.#held(queue);
    const [min, max] = await Promise.all([
      minOffset(this.#instance, consumer.queue),
      maxOffset(this.#instance, consumer.queue),
    ]);
    if (!Number.isSafeInteger(offset) || offset < min || offset > max) {
      throw new OrbitError("INVALID_ARGUMENT", `offset ${offset} is not within ${min} and ${max}`);
    }
    consumer.resetTo(offset);
  }

  async seekToBegin(queue: MessageQueue): Promise<void> {
    const consumer = this.#held(queue);
    consumer.resetTo(await minOffset(this.#instance, consumer.queue));
  }

  async seekToEnd(queue: MessageQueue): Promise<void> {
    const consumer = this.#held(queue);
    consumer.resetTo(await maxOffset(this.#instance, consumer.queue));
  }

  /** These queues are not pulled, and nothing of them is handed out, until `resume`. */
  pause(queues: readonly MessageQueue[]): void {
    const keys = this.#keysOf(queues);
    for (const key of keys) this.#paused.add(key);
    for (const consumer of this.#queues()) if (keys.has(queueKey(consumer.queue))) consumer.pause();
  }

  resume(queues: readonly MessageQueue[]): void {
    const keys = this.#keysOf(queues);
    for (const key of keys) this.#paused.delete(key);
    for (const consumer of this.#queues()) if (keys.has(queueKey(consumer.queue))) consumer.resume();
    this.#notify();
  }

  /** Commits what is done (with `autoCommit`), releases every queue, unregisters. Twice is once. Never rejects. */
  shutdown({ deadlineMs = SHUTDOWN_DEADLINE_MS }: ShutdownOptions = {}): Promise<void> {
    this.#shutdown ??= this.#stop(deadlineMs);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #begin(): Promise<void> {
    const { host, heartbeats } = this.#instance;
    const { offsetPersistIntervalMs, rebalanceIntervalMs, autoCommit } = this.#settings;
    if (wantsTelemetry(this.#telemetryOption)) await this.#beginTelemetry();
    for (const wanted of this.#subscriptions.values()) this.#join(wanted);
    this.#timers = [
      host.timers.every(rebalanceIntervalMs, () => {
        for (const member of this.#members.values()) member.wake();
      }),
    ];
    if (autoCommit) {
      const commit = () => this.#offsets.persistAll(this.#queues());
      this.#timers.push(
        host.timers.every(offsetPersistIntervalMs, () => this.#instance.background("commit", commit)),
      );
    }
    this.#instance.background("heartbeat", () => heartbeats.beatAll());
    for (const member of this.#members.values()) member.wake();
    await Promise.all([...this.#members.values()].map((member) => member.first()));
  }

  async #beginTelemetry(): Promise<void> {
    const { host, logger, namespace, clientId, rpc } = this.#instance;
    const telemetry = await loadTelemetry(this.#telemetryOption, logger);
    if (telemetry === undefined) return;
    const { messageModel } = this.#settings;
    const group = namespace.unwrap(this.#settings.group);
    const identity = { group, clientId, namespace: namespace.name, messageModel };
    this.#telemetry = new ConsumeTelemetry(telemetry, host, identity);
    const said = { "messaging.consumer.group.name": group, "messaging.client.id": clientId };
    this.#gauges = new ClientGauges(telemetry);
    this.#gauges.addLag(said, namespace, () => this.#queues());
    this.#gauges.countReconnects(rpc, said);
  }

  #join(wanted: Wanted): TopicMember {
    const member = new TopicMember(this.#context, this.#offsets, wanted);
    this.#members.set(wanted.topic, member);
    return member;
  }

  #keysOf(queues: readonly MessageQueue[]): Set<string> {
    return new Set(queues.map((queue) => queueKey(this.#settings.namespace.wrapQueue(queue))));
  }

  #wanted(shown: string, options: SelectorOptions): Wanted {
    const topic = this.#settings.namespace.wrap(shown);
    checkTopic(topic);
    return { topic, data: subscriptionTo(topic, options, this.#instance.host.clock.wallMs()) };
  }

  #consumerData(): ConsumerData {
    const subscriptions = [...this.#subscriptions.values()].map(({ data }) => data);
    return consumerData(this.#settings, "CONSUME_ACTIVELY", subscriptions);
  }

  #queues(): QueueConsumer[] {
    const members = [...this.#members.values()].flatMap((member) => [...member.queues]);
    return [...members, ...(this.#assigned?.values() ?? [])];
  }

  #held(queue: MessageQueue): QueueConsumer {
    this.#instance.checkRunning();
    const key = queueKey(this.#settings.namespace.wrapQueue(queue));
    const consumer = this.#queues().find((held) => queueKey(held.queue) === key);
    if (consumer !== undefined) return consumer;
    throw new OrbitError("INVALID_ARGUMENT", `this consumer does not hold ${key}`);
  }

  #done(): void {
    for (const { consumption } of this.#queues()) (consumption as PolledConsumption).done();
  }

  async #take(max: number): Promise<ReceivedMessage[]> {
    const messages = await this.#takeHeld(max);
    this.#trace?.handedOut(this.#instance.namespace.unwrap(this.#settings.group), messages);
    return messages;
  }

  /** Up to `max` messages that are here, from queue to queue. */
  async #takeHeld(max: number): Promise<ReceivedMessage[]> {
    const queues = this.#queues().filter(({ queue }) => !this.#paused.has(queueKey(queue)));
    const messages: ReceivedMessage[] = [];
    for (let i = 0; i < queues.length && messages.length < max; i++) {
      const { queue, consumption } = queues[(this.#turn + i) % queues.length]!;
      while (messages.length < max) {
        const polled = consumption as PolledConsumption;
        const record = polled.handOut();
        if (record === undefined) break;
        const decoded = await decodeMessage(record, queue, 0, undefined, this.#settings.namespace);
        if (decoded instanceof Undecodable) {
          // Those before it must not be lost in the throw.
          if (messages.length === 0) throw decoded.error;
          polled.putBack();
          return messages;
        }
        messages.push(decoded as ReceivedMessage);
      }
    }
    this.#turn = (this.#turn + 1) % Math.max(queues.length, 1);
    return messages;
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Resolves when there may be messages, the time is over, the signal aborts, or the consumer ends. */
  #messagesWithin(timeoutMs: number | undefined, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const previous = this.#wake;
      const done = () => {
        timer?.cancel();
        signal?.removeEventListener("abort", done);
        previous?.();
        resolve();
      };
      const timer = timeoutMs === undefined ? undefined : this.#instance.host.timers.after(timeoutMs, done);
      signal?.addEventListener("abort", done, { once: true });
      this.#wake = done;
    });
  }

  async #letGo(consumer: QueueConsumer): Promise<void> {
    consumer.stopPulling();
    if (this.#settings.autoCommit) await this.#offsets.persist(consumer);
  }

  async #stop(deadlineMs: number): Promise<void> {
    const { host, requestTimeoutMs } = this.#instance;
    const endMs = host.clock.monotonicMs() + deadlineMs;
    this.#instance.beginStop();
    for (const timer of this.#timers) timer.cancel();
    const queues = this.#queues();
    for (const member of this.#members.values()) member.stop();
    for (const queue of queues) queue.stopPulling();
    this.#notify();
    const traced = this.#trace?.close(deadlineMs * 0.6);
    if (this.#settings.autoCommit) {
      await new Promise<void>((resolve) => {
        const timer = host.timers.after(deadlineMs * 0.6, resolve);
        this.#offsets.persistAll(queues).then(() => {
          timer.cancel();
          resolve();
        }, resolve);
      });
    }
    await traced;
    this.#gauges?.close();
    await this.#instance.close(Math.min(Math.max(endMs - host.clock.monotonicMs(), 1), requestTimeoutMs));
  }
}

function exclusive(): OrbitError {
  return new OrbitError("INVALID_ARGUMENT", "a consumer either subscribes or is assigned queues, not both");
}
