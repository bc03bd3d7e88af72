/**
 * The parts of a push consumer, put together, and what runs once it has started: ListenedTopics with one TopicMember
 * per topic divides queues, one QueueConsumer per held queue pulls, one ListenerRunner runs listeners, SendBack returns
 * what failed, an OffsetStore keeps how far the group is. What the application sees of it is push-consumer.ts; its end
 * is push-shutdown.ts.
 */
import type { Host, TimerHandle } from "@orbitmq/host";
import { notifyConsumerIdsChangedRequestHeader, RequestCode } from "@orbitmq/wire";
import { stableClientId } from "../connection/client-id.ts";
import { ClientInstance } from "../connection/client-instance.ts";
import { InnerSender } from "../producer/inner-sender.ts";
import { ClientGauges, gauges } from "../telemetry/client-gauges.ts";
import { ConsumeTelemetry } from "../telemetry/consume-telemetry.ts";
import { loadTelemetry, wantsTelemetry } from "../telemetry/load-telemetry.ts";
import { ConsumeTrace } from "../trace/consume-trace.ts";
import { newTraceDispatcher } from "../trace/trace-dispatcher.ts";
import { within } from "../within.ts";
import { ConsumeTally } from "./consume-tally.ts";
import type { PushConsumerOptions } from "./consumer-options.ts";
import { type ConsumerSettings, consumerSettings } from "./consumer-settings.ts";
import { ListenedTopics } from "./listened-topics.ts";
import { ListenerRunner } from "./listening/listener-runner.ts";
import type { ListeningContext } from "./listening/listening-context.ts";
import { newMessageFilter } from "./message-filter.ts";
import { checkWithBroker } from "./message-selector.ts";
import { LocalOffsets } from "./offsets/local-offsets.ts";
import { OffsetPersister } from "./offsets/offset-persister.ts";
import type { OffsetStore } from "./offsets/offset-store.ts";
import { PopQueue } from "./pop/pop-queue.ts";
import { PopRequests } from "./pop/pop-requests.ts";
import type { PushConsumerParts } from "./push-shutdown.ts";
import { BrokerQuestions } from "./questions/broker-questions.ts";
import { ConsumeStats } from "./questions/consume-stats.ts";
import { ConcurrentConsumption } from "./queue/concurrent-consumption.ts";
import { OrderlyConsumption } from "./queue/orderly-consumption.ts";
import type { AssignedByBrokers } from "./queue/queue-consumer.ts";
import { QueueLocks } from "./rebalance/queue-locks.ts";
import { SendBack } from "./retry/send-back.ts";

export type ListenerKind = "concurrent" | "orderly";

export class PushConsumption implements PushConsumerParts {
  readonly instance: ClientInstance;
  readonly settings: ConsumerSettings;
  readonly topics: ListenedTopics;
  readonly tally: ConsumeTally;
  readonly runner: ListenerRunner;
  readonly offsets: OffsetStore;
  readonly sender: InnerSender;
  readonly sendBack: SendBack;
  readonly locks: QueueLocks;
  readonly popRequests: PopRequests;
  readonly trace: ConsumeTrace | undefined;
  gauges: ClientGauges | undefined;
  #telemetry: ConsumeTelemetry | undefined;
  readonly #telemetryOption: PushConsumerOptions["telemetry"];
  readonly #context: ListeningContext;
  isSuspended = false;
  /** A consumer is of one kind, which its first listener decides. */
  kind: ListenerKind | undefined;
  timers: readonly TimerHandle[] = [];

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: PushConsumerOptions) {
    this.settings = consumerSettings(options);
    this.#telemetryOption = options.telemetry;
    const { group, from, maxReconsumeTimes, orderlyReconsumeTimesMax } = this.settings;
    // A broadcasting consumer must find its offsets again: its id is the same after every start.
    const clientId = options.clientId ?? (this.#broadcasts ? stableClientId(host) : undefined);
    this.instance = new ClientInstance(
      host,
      { ...options, clientId },
      { consumers: () => [this.topics.consumerData()] },
    );
    const { logger, routes, rpc } = this.instance;
    this.tally = new ConsumeTally(this.instance, this.settings);
    this.topics = new ListenedTopics({
      instance: this.instance,
      settings: this.settings,
      offsets: () => this.offsets,
      context: () => this.#context,
    });
    const plainGroup = this.instance.namespace.unwrap(group);
    const dispatcher = newTraceDispatcher(this.instance, plainGroup, "CONSUME", options.trace);
    if (dispatcher !== undefined) this.trace = new ConsumeTrace(host, dispatcher);
    const { consumeHooks } = this.settings;
    this.runner = new ListenerRunner(host, logger, {
      ...this.settings,
      consumeHooks: this.trace === undefined ? consumeHooks : [...consumeHooks, this.trace],
      telemetry: () => this.#telemetry,
    });
    const folder = options.localOffsetsFolder ?? `${host.process.homeFolder}/.rocketmq_offsets`;
    this.offsets = this.#broadcasts
      ? new LocalOffsets(this.instance, group, from, folder)
      : new OffsetPersister(this.instance, group, from);
    this.sender = new InnerSender(this.instance);
    this.sendBack = new SendBack(this.instance, this.sender, group, () =>
      this.kind === "orderly" ? orderlyReconsumeTimesMax : maxReconsumeTimes,
    );
    this.locks = new QueueLocks(this.instance, group, (queue) => {
      this.topics.member(queue.topic)?.lockLost(queue);
    });
    this.popRequests = new PopRequests(this.instance, group);
    const assigned: AssignedByBrokers = {
      newPopQueue: (queue, data) => new PopQueue(this.#context, this.popRequests, queue, data),
      modeOf: (topic, mode) => this.topics.pulled(topic, mode === "PULL"),
    };
    this.#context = {
      assignedByBrokers: () =>
        this.settings.clientRebalance || this.kind === "orderly" || this.#broadcasts ? undefined : assigned,
      isSuspended: () => this.isSuspended,
      accepts: newMessageFilter(this.instance, this.settings.filterHooks),
      subscribesByPull: false,
      newConsumption: (queue, startOffset, onRoom) =>
        this.kind === "orderly"
          ? new OrderlyConsumption(this.#context, queue, startOffset, onRoom)
          : new ConcurrentConsumption(this.#context, queue, startOffset, onRoom),
      instance: this.instance,
      settings: this.settings,
      runner: this.runner,
      sendBack: this.sendBack,
      stats: new ConsumeStats(host.clock),
      isInOrder: () => this.kind === "orderly",
      locks: () => (this.kind === "orderly" && !this.#broadcasts ? this.locks : undefined),
      subscriptionOf: (topic) => this.topics.subscriptionOf(topic),
      consumed: () => this.tally.consumed(),
      failed: (...of) => this.tally.failed(...of),
      sentBack: (...of) => this.tally.sentBack(...of),
    };
    new BrokerQuestions(this.instance, {
      group,
      concurrency: this.settings.concurrency,
      isInOrder: this.#context.isInOrder,
      startedMs: host.clock.wallMs(),
      stats: this.#context.stats,
      offsets: this.offsets,
      subscriptions: () => this.topics.allSubscriptions,
      subscriptionOf: this.#context.subscriptionOf,
      queues: () => this.topics.queues,
      popQueues: () => this.topics.popQueues,
    });
    routes.onChange((topic) => this.topics.member(topic)?.routeChanged());
    rpc.handle(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, (request) => {
      const { consumerGroup } = notifyConsumerIdsChangedRequestHeader.decode(request.ext);
      if (consumerGroup === group) this.topics.wake();
    });
    rpc.onConnection((address, _peer, open) => {
      if (open) this.#doubtOffsets(address);
    });
  }

  /** Joins the group; resolves when the queues of topics that exist were divided. */
  async begin(): Promise<void> {
    const { host, heartbeats, startTimeoutMs } = this.instance;
    this.kind ??= "concurrent";
    if (wantsTelemetry(this.#telemetryOption)) await this.#beginTelemetry();
    const { group } = this.settings;
    await Promise.all(
      this.topics.subscriptions.map(({ data }) => checkWithBroker(this.instance, group, data)),
    );
    if (this.#context.locks() !== undefined) this.locks.start();
    this.topics.join(!this.#broadcasts);
    const { offsetPersistIntervalMs, rebalanceIntervalMs } = this.settings;
    this.timers = [
      host.timers.every(offsetPersistIntervalMs, () => {
        this.instance.background("commit", () => this.offsets.persistAll(this.topics.queues));
      }),
      host.timers.every(rebalanceIntervalMs, () => this.topics.wake()),
    ];
    this.instance.background("heartbeat", () => heartbeats.beatAll());
    this.topics.wake();
    await within(
      host.timers,
      startTimeoutMs,
      this.topics.userMembers.map((member) => member.first()),
    );
  }

  async #beginTelemetry(): Promise<void> {
    const { host, logger, namespace, clientId, rpc } = this.instance;
    const telemetry = await loadTelemetry(this.#telemetryOption, logger);
    if (telemetry === undefined) return;
    const { messageModel } = this.settings;
    const group = namespace.unwrap(this.settings.group);
    const identity = { group, clientId, namespace: namespace.name, messageModel };
    this.#telemetry = new ConsumeTelemetry(telemetry, host, identity);
    const said = { "messaging.consumer.group.name": group, "messaging.client.id": clientId };
    this.gauges = new ClientGauges(telemetry);
    this.gauges.add(gauges.running, (gauge) => gauge.observe(this.runner.running, said));
    this.gauges.addLag(said, namespace, () => this.topics.queues);
    this.gauges.countReconnects(rpc, said);
  }

  get #broadcasts(): boolean {
    return this.settings.messageModel === "BROADCASTING";
  }

  /** A broker that was reconnected may have been restarted and lost its latest offsets. */
  #doubtOffsets(address: string): void {
    const { routes } = this.instance;
    for (const queue of this.topics.queues) {
      if (routes.masterOf(queue.queue.brokerName) === address) queue.persistedOffset = -1;
    }
  }
}
