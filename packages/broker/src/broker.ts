/**
 * The broker: requests → store → answers (RocketMQ: BrokerController). Assembles tables, their files, handlers
 * and registration, and starts and stops them in order; the logic is theirs.
 *
 *   new → starting → serving → stopping → stopped
 */
import {
  assert,
  type Host,
  type Listener,
  type Logger,
  type SocketAddress,
  silentLogger,
  type TimerHandle,
} from "@orbitmq/host";
import { StateFile } from "@orbitmq/store";
import { type Peer, RpcClient, RpcLatency, RpcServer, UniqueIdGenerator } from "@orbitmq/wire";
import { RequestModes } from "./assignment/request-modes.ts";
import { TopicQueues } from "./assignment/topic-queues.ts";
import { BrokerError } from "./broker-error.ts";
import { BrokerIdentity, resolveAdvertised } from "./broker-identity.ts";
import {
  type BrokerOptions,
  brokerDefaults,
  type ResolvedBrokerOptions,
  type RuntimeBrokerTuning,
} from "./broker-options.ts";
import { ConsumerGroups } from "./consumer-groups/consumer-groups.ts";
import { GroupNotifier } from "./consumer-groups/group-notifier.ts";
import { GroupRegistry } from "./consumer-groups/group-registry.ts";
import { LOCK_FILE } from "./consumer-groups/lock-file.ts";
import { LockKeeper } from "./consumer-groups/lock-keeper.ts";
import { OffsetRegistry } from "./consumer-groups/offset-registry.ts";
import { Offsets } from "./consumer-groups/offsets.ts";
import { ProducerGroups } from "./consumer-groups/producer-groups.ts";
import { SubscriptionGroups } from "./consumer-groups/subscription-groups.ts";
import { UnconsumedWarning } from "./consumer-groups/unconsumed-warning.ts";
import { FilterRegistry } from "./filters/filter-registry.ts";
import { BrokerMetrics } from "./metrics/broker-metrics.ts";
import { PullOffsets } from "./metrics/pull-offsets.ts";
import { PopService } from "./popping/pop-service.ts";
import { LongPoll } from "./pulling/long-poll.ts";
import { Registration } from "./registration.ts";
import { type BrokerParts, requestHandlers } from "./request-handlers.ts";
import { ScheduleService } from "./schedule/schedule-service.ts";
import { BrokerStats } from "./stats.ts";
import { TIMER_DAMAGED_FILE } from "./timer/damaged-timers.ts";
import { TimerRoom } from "./timer/timer-room.ts";
import { TimerService } from "./timer/timer-service.ts";
import { systemTopics } from "./topics/system-topics.ts";
import { TopicDeletion } from "./topics/topic-deletion.ts";
import { TopicRegistry } from "./topics/topic-registry.ts";
import { Topics } from "./topics/topics.ts";
import { TRANSACTION_FILE } from "./transactions/transaction-file.ts";
import { TransactionService } from "./transactions/transaction-service.ts";

/** The VIP listener's distance below the main port. */
const VIP_DISTANCE = 2;
/** Share of the stop time that NameServers may take to forget us. */
const UNREGISTER_SHARE = 4;

export interface BrokerStopped {
  /** Requests left unanswered when the time was over. */
  readonly left: number;
  /** Files of state that could not be written; empty when all is well. */
  readonly unsaved: readonly string[];
}

export class Broker {
  readonly #host: Host;
  readonly #options: ResolvedBrokerOptions;
  readonly #logger: Logger;
  readonly #identity = new BrokerIdentity();
  readonly #server: RpcServer;
  readonly #client: RpcClient;
  readonly #topics: TopicRegistry;
  readonly #groups: GroupRegistry;
  readonly #offsets: OffsetRegistry;
  readonly #consumers = new ConsumerGroups((group) => {
    this.#filters.unregister(group);
    this.#pullOffsets.forget(group);
  });
  readonly #pullOffsets = new PullOffsets();
  readonly #latency = new RpcLatency();
  readonly #metrics: BrokerMetrics;
  readonly #filters: FilterRegistry;
  readonly #producers: ProducerGroups;
  readonly #notifier: GroupNotifier;
  readonly #lockKeeper: LockKeeper;
  readonly #longPoll: LongPoll;
  readonly #stats: BrokerStats;
  readonly #schedule: ScheduleService;
  readonly #timed: TimerService;
  readonly #popping: PopService;
  readonly #transactions: TransactionService;
  readonly #requestModes: RequestModes;
  readonly #registration: Registration;
  #state: "new" | "starting" | "serving" | "stopping" = "new";
  #local: SocketAddress | undefined;
  #vip: SocketAddress | undefined;
  #scan: TimerHandle | undefined;
  #stopped: Promise<BrokerStopped> | undefined;

  constructor(host: Host, options: BrokerOptions, logger: Logger = silentLogger) {
    const resolved = resolveOptions(options);
    const { clock, timers, random } = host;
    const nowMs = clock.wallMs();
    const file = (name: string): StateFile | undefined =>
      resolved.configFolder === undefined
        ? undefined
        : new StateFile(
            host,
            `${resolved.configFolder}/${name}`,
            logger,
            resolved.store,
            `${resolved.configFolder}/orbitmq-checksums/${name}`,
          );
    this.#host = host;
    this.#options = resolved;
    this.#logger = logger;
    this.#server = new RpcServer(host, { logger, latency: this.#latency, ...resolved.rpcServer });
    this.#client = new RpcClient(host, { logger, ...resolved.rpcClient });
    this.#stats = new BrokerStats(clock, timers, resolved.brokerClusterName);
    this.#topics = new TopicRegistry({
      clock,
      timers,
      logger,
      topics: new Topics(systemTopics(resolved), nowMs),
      file: file("topics.json"),
      onChanged: (topic) => {
        this.#registration.topicsChanged();
        this.#tellSubscribers(topic);
      },
    });
    this.#groups = new GroupRegistry({
      clock,
      timers,
      logger,
      groups: new SubscriptionGroups(nowMs),
      file: file("subscriptionGroup.json"),
      get autoCreateSubscriptionGroup() {
        return resolved.autoCreateSubscriptionGroup;
      },
      groupsMax: resolved.groupsMax,
    });
    this.#offsets = new OffsetRegistry({
      clock,
      timers,
      logger,
      offsets: new Offsets(resolved.consumerOffsetUpdateVersionStep, nowMs),
      store: resolved.store,
      file: file("consumerOffset.json"),
      flushConsumerOffsetInterval: resolved.flushConsumerOffsetInterval,
    });
    this.#filters = new FilterRegistry({
      clock,
      timers,
      logger,
      file: file("consumerFilter.json"),
      options: resolved,
    });
    this.#notifier = new GroupNotifier({
      timers,
      consumers: this.#consumers,
      groups: this.#groups,
      get notifyConsumerIdsChangedEnable() {
        return resolved.notifyConsumerIdsChangedEnable;
      },
    });
    this.#lockKeeper = new LockKeeper({
      ...resolved,
      clock,
      timers,
      notifier: this.#notifier,
      file: file(LOCK_FILE),
    });
    this.#producers = new ProducerGroups(resolved.producerGroupsMax);
    this.#longPoll = new LongPoll(host, resolved.parkedPullsMax);
    this.#schedule = new ScheduleService({
      ...resolved,
      clock,
      timers,
      logger,
      identity: this.#identity,
      topics: this.#topics,
      stats: this.#stats,
      file: file("delayOffset.json"),
    });
    this.#timed = new TimerService({
      clock,
      timers,
      files: host.files,
      logger,
      store: resolved.store,
      topics: this.#topics,
      identity: this.#identity,
      stats: this.#stats,
      options: resolved,
      damagedFile: file(TIMER_DAMAGED_FILE),
    });
    this.#popping = new PopService({
      clock,
      timers,
      random,
      logger,
      store: resolved.store,
      options: resolved,
      identity: this.#identity,
      topics: this.#topics,
      groups: this.#groups,
      offsets: this.#offsets,
      filters: this.#filters,
      stats: this.#stats,
      file: file("consumerOrderInfo.json"),
    });
    this.#transactions = new TransactionService({
      clock,
      timers,
      logger,
      store: resolved.store,
      options: resolved,
      identity: this.#identity,
      topics: this.#topics,
      producers: this.#producers,
      offsets: this.#offsets,
      stats: this.#stats,
      file: file(TRANSACTION_FILE),
    });
    this.#requestModes = new RequestModes({ logger, file: file("messageRequestMode.json") });
    this.#registration = new Registration({
      clock,
      timers,
      random,
      logger,
      client: this.#client,
      namesrvAddrs: resolved.namesrvAddrs,
      identity: this.#identity,
      topics: this.#topics.topics,
      options: resolved,
    });
    this.#metrics = new BrokerMetrics({
      clock,
      timers,
      files: host.files,
      store: resolved.store,
      storePath: resolved.configFolder,
      options: resolved,
      topics: this.#topics,
      groups: this.#groups,
      consumers: this.#consumers,
      producers: this.#producers,
      offsets: this.#offsets,
      pullOffsets: this.#pullOffsets,
      stats: this.#stats,
      timed: this.#timed,
      popping: this.#popping,
      transactions: this.#transactions,
      latency: this.#latency,
      server: () => this.#server.status,
      parked: () => this.#longPoll.size + this.#popping.pops.size + this.#popping.notifications.size,
    });
  }

  /**
   * Loads topics, groups and offsets, listens, and begins to register; the store must be running. Resolves
   * once requests are served. Rejects with BrokerError, or HostError when the port is taken. Once.
   */
  async start(): Promise<void> {
    if (this.#state !== "new")
      throw new BrokerError("STATE", `a broker is started once; it is ${this.#state}`);
    this.#state = "starting";
    const { store, listen, brokerIP1, advertisedPort, configFolder } = this.#options;
    const status = store.status();
    if (status.state !== "running") {
      throw new BrokerError("STORE_NOT_RUNNING", `the broker's store is ${status.state}, not running`);
    }
    if (configFolder !== undefined) this.#host.files.makeFolderSync(configFolder);
    this.#topics.load(store);
    this.#groups.load();
    this.#offsets.load();
    this.#filters.load();
    this.#lockKeeper.load();
    this.#schedule.load();
    this.#requestModes.load();
    await this.#popping.load();
    await this.#timed.load();
    await this.#transactions.load();
    this.#assertStarting();
    const advertised = await resolveAdvertised(this.#host, brokerIP1, listen);
    this.#assertStarting();
    const { local } = await this.#listen(listen);
    this.#assertStarting();
    this.#local = local;
    this.#identity.set(advertised.host, advertised.ip, advertisedPort ?? local.port);
    this.#handleRequests();
    store.subscribeArrivals(this.#longPoll);
    store.onRemoval(new UnconsumedWarning(this.#offsets.offsets, this.#logger));
    store.onFailed((error) =>
      this.#logger.error(
        { err: error },
        "the store takes no more messages until restart; pulls are still served",
      ),
    );
    this.#schedule.start();
    this.#timed.start();
    this.#popping.start();
    this.#transactions.start();
    const { scanNotActiveChannelInterval } = this.#options;
    this.#scan = this.#host.timers.every(scanNotActiveChannelInterval, () => this.#expireClients());
    if (this.#options.vipListener) await this.#listenVip(local);
    this.#assertStarting();
    this.#state = "serving";
    this.#registration.start();
  }

  /** Stopping may begin while starting waits. */
  #assertStarting(): void {
    if (this.#state !== "starting") throw new BrokerError("STATE", "the broker was stopped while it started");
  }

  /** What is counted, to be read when somebody asks; once started. */
  get metrics(): Pick<BrokerMetrics, "refresh" | "families"> {
    return this.#metrics;
  }

  /** The NameServers it registers with, and those of them that have taken its last registration. */
  get registrations(): { readonly wanted: number; readonly done: number } {
    return this.#registration.counts;
  }

  /** Takes other values from now on; the parts share the one object of options. */
  changeOptions(changes: RuntimeBrokerTuning): void {
    Object.assign(this.#options, changes);
    if (changes.brokerPermission !== undefined) {
      this.#topics.topics.apply({ kind: "topics-told", atMs: this.#host.clock.wallMs() });
      this.#registration.topicsChanged();
    }
    // The topic that others are created after is there when they may be.
    for (const topic of systemTopics(this.#options)) {
      if (this.#topics.get(topic.topicName) === undefined) this.#topics.put(topic);
    }
  }

  /** Where it listens, once started. */
  get local(): SocketAddress {
    assert(this.#local !== undefined, "a broker listens once it is started");
    return this.#local;
  }

  /** What clients are told, `host:port`, once started. */
  get address(): string {
    return this.#identity.address;
  }

  /** The VIP listener, when there is one. */
  get vip(): SocketAddress | undefined {
    return this.#vip;
  }

  /** Resolves when the first NameServer has taken the registration; at once when there are none to ask. */
  whenRegistered(): Promise<void> {
    return new Promise((resolve) => this.#registration.whenFirstDone(resolve));
  }

  /**
   * Unregisters from every NameServer, refuses what is new, answers what is in flight (parked pulls get 19),
   * writes topics, groups and offsets, closes; at most about `timeoutMs`. The store is the caller's to stop,
   * afterwards. Idempotent.
   */
  stop(timeoutMs: number): Promise<BrokerStopped> {
    this.#stopped ??= this.#stop(timeoutMs);
    return this.#stopped;
  }

  async #stop(timeoutMs: number): Promise<BrokerStopped> {
    this.#state = "stopping";
    const { clock } = this.#host;
    const untilMs = clock.monotonicMs() + timeoutMs;
    await new Promise<void>((resolve) => this.#registration.stop(timeoutMs / UNREGISTER_SHARE, resolve));
    this.#server.stopAccepting();
    const left = await new Promise<number>((resolve) => {
      this.#server.drain(Math.max(0, untilMs - clock.monotonicMs()), resolve);
      this.#longPoll.stop();
      this.#popping.stopWaiting();
    });
    this.#scan?.cancel();
    this.#lockKeeper.stop();
    this.#notifier.stop();
    this.#stats.stop();
    await new Promise<void>((resolve) =>
      this.#schedule.stop(Math.max(0, untilMs - clock.monotonicMs()), resolve),
    );
    await new Promise<void>((resolve) =>
      this.#timed.stop(Math.max(0, untilMs - clock.monotonicMs()), resolve),
    );
    this.#popping.stop();
    this.#transactions.stop();
    const unsaved = this.#save();
    await new Promise<void>((resolve) =>
      this.#server.close(Math.max(0, untilMs - clock.monotonicMs()), resolve),
    );
    await new Promise<void>((resolve) => this.#client.stop(resolve));
    return { left, unsaved };
  }

  #save(): string[] {
    const unsaved: string[] = [];
    const attempt = (name: string, save: () => void): void => {
      try {
        save();
      } catch (error) {
        this.#logger.error({ err: error, file: name }, "a file of state could not be written at stop");
        unsaved.push(name);
      }
    };
    attempt("topics.json", () => this.#topics.stop());
    attempt("subscriptionGroup.json", () => this.#groups.stop());
    attempt("consumerOffset.json", () => this.#offsets.stop());
    attempt("consumerOrderInfo.json", () => this.#popping.orders.stop());
    this.#requestModes.stop();
    attempt(TRANSACTION_FILE, () => this.#transactions.save());
    attempt("delayOffset.json", () => this.#schedule.save());
    attempt("timercheck", () => this.#timed.save());
    attempt("consumerFilter.json", () => this.#filters.stop());
    attempt(LOCK_FILE, () => this.#lockKeeper.save());
    return unsaved;
  }

  #listen(at: SocketAddress): Promise<Listener> {
    return new Promise((resolve, reject) => {
      this.#server.listen(at, (error, listener) => {
        if (listener !== undefined) resolve(listener);
        else reject(error);
      });
    });
  }

  /** A convenience for old clients: when the port is taken, they use the main one. */
  async #listenVip(main: SocketAddress): Promise<void> {
    const at = { host: this.#options.listen.host, port: main.port - VIP_DISTANCE };
    try {
      if (at.port > 0) this.#vip = (await this.#listen(at)).local;
    } catch (error) {
      this.#logger.warn({ err: error, port: at.port }, "no VIP listener: its port cannot be listened on");
    }
  }

  #handleRequests(): void {
    const { clock, random, files } = this.#host;
    const whenRegistered = (done: () => void) => this.#registration.whenSettled(done);
    const parts: BrokerParts = {
      options: this.#options,
      store: this.#options.store,
      identity: this.#identity,
      topics: this.#topics,
      groups: this.#groups,
      offsets: this.#offsets,
      consumers: this.#consumers,
      pullOffsets: this.#pullOffsets,
      filters: this.#filters,
      producers: this.#producers,
      notifier: this.#notifier,
      lockKeeper: this.#lockKeeper,
      longPoll: this.#longPoll,
      schedule: this.#schedule,
      timed: this.#timed,
      timerRoom: new TimerRoom({ options: this.#options, clock, random, timed: this.#timed }),
      popping: this.#popping,
      transactions: this.#transactions,
      requestModes: this.#requestModes,
      topicQueues: new TopicQueues({
        clock,
        logger: this.#logger,
        client: this.#client,
        options: this.#options,
        topics: this.#topics,
      }),
      stats: this.#stats,
      logger: this.#logger,
      brokerName: this.#options.brokerName,
      storePath: this.#options.configFolder,
      whenRegistered,
      topicDeletion: new TopicDeletion({
        logger: this.#logger,
        store: this.#options.store,
        topics: this.#topics,
        groups: this.#groups,
        offsets: this.#offsets,
        popping: this.#popping,
        whenRegistered,
      }),
      uniqueIds: this.#uniqueIds(),
      clock,
      random,
      files,
    };
    for (const [code, handler] of requestHandlers(parts)) this.#server.handle(code, handler);
    this.#server.onPeer((peer, open) => {
      if (!open) this.#peerClosed(peer);
    });
  }

  /** For messages that come without a unique id. */
  #uniqueIds(): UniqueIdGenerator {
    const { clock, random } = this.#host;
    return new UniqueIdGenerator({
      address: this.#identity.storeHost.slice(0, -4),
      pid: this.#host.process.pid,
      instance: random.int(2 ** 32),
      counterStart: random.int(2 ** 16),
      nowMs: () => clock.wallMs(),
    });
  }

  /**
   * Groups that wait for a topic look for its route at once when it appears or changes, instead of at their next
   * round (RocketMQ leaves them waiting).
   */
  #tellSubscribers(topic: string): void {
    if (this.#state !== "serving") return;
    const groups = this.#consumers.subscribedTo(topic);
    if (groups.length === 0) return;
    this.#registration.whenSettled(() => {
      for (const group of groups) this.#notifier.groupChanged(group);
    });
  }

  #peerClosed(peer: Peer): void {
    this.#producers.peerClosed(peer);
    for (const group of this.#consumers.peerClosed(peer)) this.#notifier.groupChanged(group.name);
  }

  #expireClients(): void {
    const nowMs = this.#host.clock.monotonicMs();
    const { channelExpiredTimeout } = this.#options;
    this.#lockKeeper.sweep();
    const { gone, groups } = this.#consumers.expire(nowMs, channelExpiredTimeout);
    for (const group of groups) this.#notifier.groupChanged(group.name);
    for (const { peer, clientId } of [...gone, ...this.#producers.expire(nowMs, channelExpiredTimeout)]) {
      this.#logger.warn(
        { clientId, peer: peer.address },
        "a client was not heard of for too long; closing it",
      );
      peer.close();
    }
  }
}

/** Fills in the defaults. Throws BrokerError ILLEGAL_OPTION. */
function resolveOptions(options: BrokerOptions): ResolvedBrokerOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const resolved: ResolvedBrokerOptions = { ...brokerDefaults, ...(given as BrokerOptions) };
  for (const [name, value] of Object.entries(resolved)) {
    const isNumeric = typeof brokerDefaults[name as keyof typeof brokerDefaults] === "number";
    if (isNumeric && (!Number.isSafeInteger(value) || value < 0)) {
      throw new BrokerError(
        "ILLEGAL_OPTION",
        `${name} is ${String(value)}; it must be a whole number, not negative`,
      );
    }
  }
  return resolved;
}
