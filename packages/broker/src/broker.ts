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
import { type Peer, RequestCode, RpcClient, RpcServer, UniqueIdGenerator } from "@orbitmq/wire";
import { BrokerError } from "./broker-error.ts";
import { BrokerIdentity, resolveAdvertised } from "./broker-identity.ts";
import { type BrokerOptions, brokerDefaults, type ResolvedBrokerOptions } from "./broker-options.ts";
import { ConsumerGroups } from "./consumer-groups/consumer-groups.ts";
import { GroupNotifier } from "./consumer-groups/group-notifier.ts";
import { ProducerGroups } from "./consumer-groups/producer-groups.ts";
import { GroupRegistry } from "./group-registry.ts";
import { getAllTopicConfig } from "./handlers/get-all-topic-config.ts";
import { getBrokerRuntimeInfo } from "./handlers/get-broker-runtime-info.ts";
import { getConsumerListByGroup } from "./handlers/get-consumer-list-by-group.ts";
import { getMaxOffset } from "./handlers/get-max-offset.ts";
import { getMinOffset } from "./handlers/get-min-offset.ts";
import { getSubscriptionGroupConfig } from "./handlers/get-subscriptiongroup-config.ts";
import { getTopicConfig } from "./handlers/get-topic-config.ts";
import { getTopicStatsInfo } from "./handlers/get-topic-stats-info.ts";
import { heartBeat } from "./handlers/heart-beat.ts";
import { pullMessage } from "./handlers/pull-message.ts";
import { queryConsumerOffset } from "./handlers/query-consumer-offset.ts";
import { searchOffsetByTimestamp } from "./handlers/search-offset-by-timestamp.ts";
import { sendMessage } from "./handlers/send-message.ts";
import { unregisterClient } from "./handlers/unregister-client.ts";
import { updateAndCreateSubscriptionGroup } from "./handlers/update-and-create-subscriptiongroup.ts";
import { updateAndCreateTopic } from "./handlers/update-and-create-topic.ts";
import { updateConsumerOffset } from "./handlers/update-consumer-offset.ts";
import { LongPoll } from "./long-poll.ts";
import { OffsetRegistry } from "./offset-registry.ts";
import { Offsets } from "./offsets.ts";
import { Registration } from "./registration.ts";
import { BrokerStats } from "./stats.ts";
import { SubscriptionGroups } from "./subscription-groups.ts";
import { systemTopics } from "./system-topics.ts";
import { TopicRegistry } from "./topic-registry.ts";
import { Topics } from "./topics.ts";

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
  readonly #consumers = new ConsumerGroups();
  readonly #producers = new ProducerGroups();
  readonly #notifier: GroupNotifier;
  readonly #longPoll: LongPoll;
  readonly #stats: BrokerStats;
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
        : new StateFile(host, `${resolved.configFolder}/${name}`, logger);
    this.#host = host;
    this.#options = resolved;
    this.#logger = logger;
    this.#server = new RpcServer(host, { logger, ...resolved.rpcServer });
    this.#client = new RpcClient(host, { logger, ...resolved.rpcClient });
    this.#stats = new BrokerStats(clock, timers);
    this.#topics = new TopicRegistry({
      clock,
      timers,
      logger,
      topics: new Topics(systemTopics(resolved), nowMs),
      file: file("topics.json"),
      onChanged: () => this.#registration.topicsChanged(),
    });
    this.#groups = new GroupRegistry({
      clock,
      timers,
      logger,
      groups: new SubscriptionGroups(nowMs),
      file: file("subscriptionGroup.json"),
      autoCreateSubscriptionGroup: resolved.autoCreateSubscriptionGroup,
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
    this.#notifier = new GroupNotifier({
      timers,
      consumers: this.#consumers,
      groups: this.#groups,
      notifyConsumerIdsChangedEnable: resolved.notifyConsumerIdsChangedEnable,
    });
    this.#longPoll = new LongPoll(host, resolved.parkedPullsMax);
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
  }

  /**
   * Loads topics, groups and offsets, listens, and begins to register; the store must be running. Resolves
   * once requests are served. Rejects with BrokerError, or HostError when the port is taken. Once.
   */
  async start(): Promise<void> {
    if (this.#state !== "new")
      throw new BrokerError("STATE", `a broker is started once; it is ${this.#state}`);
    this.#state = "starting";
    const { store, listen, brokerIP1, advertisedPort } = this.#options;
    const status = store.status();
    if (status.state !== "running") {
      throw new BrokerError("STORE_NOT_RUNNING", `the broker's store is ${status.state}, not running`);
    }
    this.#topics.load(store);
    this.#groups.load();
    this.#offsets.load();
    const advertised = await resolveAdvertised(this.#host, brokerIP1, listen);
    const { local } = await this.#listen(listen);
    this.#local = local;
    this.#identity.set(advertised.host, advertised.ip, advertisedPort ?? local.port);
    this.#handleRequests();
    store.subscribeArrivals(this.#longPoll);
    store.onFailed((error) =>
      this.#logger.error(
        { err: error },
        "the store takes no more messages until restart; pulls are still served",
      ),
    );
    this.#scan = this.#host.timers.every(this.#options.scanNotActiveChannelInterval, () =>
      this.#expireClients(),
    );
    if (this.#options.vipListener) await this.#listenVip(local);
    // Stopping may have begun meanwhile.
    if (this.#state !== "starting") return;
    this.#state = "serving";
    this.#registration.start();
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
    });
    this.#scan?.cancel();
    this.#stats.stop();
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
    attempt("topics.json", () => this.#topics.saveSync());
    attempt("subscriptionGroup.json", () => this.#groups.saveSync());
    attempt("consumerOffset.json", () => this.#offsets.stop());
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
    const { clock, timers, random, files } = this.#host;
    const needs = {
      options: this.#options,
      store: this.#options.store,
      identity: this.#identity,
      topics: this.#topics,
      groups: this.#groups,
      offsets: this.#offsets,
      consumers: this.#consumers,
      producers: this.#producers,
      notifier: this.#notifier,
      longPoll: this.#longPoll,
      stats: this.#stats,
      brokerName: this.#options.brokerName,
      storePath: this.#options.configFolder,
      whenRegistered: (done: () => void) => this.#registration.whenSettled(done),
      uniqueIds: this.#uniqueIds(),
      clock,
      timers,
      random,
      files,
    };
    const server = this.#server;
    const send = sendMessage(needs);
    server.handle(RequestCode.SEND_MESSAGE, send);
    server.handle(RequestCode.SEND_MESSAGE_V2, send);
    server.handle(RequestCode.SEND_BATCH_MESSAGE, send);
    const pull = pullMessage(needs);
    server.handle(RequestCode.PULL_MESSAGE, pull);
    server.handle(RequestCode.LITE_PULL_MESSAGE, pull);
    server.handle(RequestCode.QUERY_CONSUMER_OFFSET, queryConsumerOffset(needs));
    server.handle(RequestCode.UPDATE_CONSUMER_OFFSET, updateConsumerOffset(needs));
    server.handle(RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, searchOffsetByTimestamp(needs));
    server.handle(RequestCode.GET_MAX_OFFSET, getMaxOffset(needs));
    server.handle(RequestCode.GET_MIN_OFFSET, getMinOffset(needs));
    server.handle(RequestCode.HEART_BEAT, heartBeat(needs));
    server.handle(RequestCode.UNREGISTER_CLIENT, unregisterClient(needs));
    server.handle(RequestCode.GET_CONSUMER_LIST_BY_GROUP, getConsumerListByGroup(needs));
    server.handle(RequestCode.UPDATE_AND_CREATE_TOPIC, updateAndCreateTopic(needs));
    server.handle(RequestCode.GET_TOPIC_STATS_INFO, getTopicStatsInfo(needs));
    server.handle(RequestCode.GET_ALL_TOPIC_CONFIG, getAllTopicConfig(needs));
    server.handle(RequestCode.GET_BROKER_RUNTIME_INFO, getBrokerRuntimeInfo(needs));
    server.handle(RequestCode.GET_TOPIC_CONFIG, getTopicConfig(needs));
    const createGroup = updateAndCreateSubscriptionGroup(needs);
    server.handle(RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, createGroup);
    server.handle(RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, getSubscriptionGroupConfig(needs));
    server.onPeer((peer, open) => {
      if (!open) this.#peerClosed(peer);
    });
  }

  /** For messages that come without a unique id. */
  #uniqueIds(): UniqueIdGenerator {
    const { clock, random, process } = this.#host;
    return new UniqueIdGenerator({
      address: this.#identity.storeHost.slice(0, -4),
      pid: process.pid,
      instance: random.int(2 ** 32),
      counterStart: random.int(2 ** 16),
      nowMs: () => clock.wallMs(),
    });
  }

  #peerClosed(peer: Peer): void {
    this.#producers.peerClosed(peer);
    for (const group of this.#consumers.peerClosed(peer)) this.#notifier.groupChanged(group.name);
  }

  #expireClients(): void {
    const nowMs = this.#host.clock.monotonicMs();
    const { channelExpiredTimeout } = this.#options;
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
  const resolved: ResolvedBrokerOptions = { ...brokerDefaults, ...options };
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
