/**
 * Every part of a broker that handlers need, on a host by hand and a store of plain arrays, and `call` to hand a
 * request to a handler.
 */
import { type Logger, silentLogger } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import { type RequestHandler, UniqueIdGenerator } from "@orbitmq/wire";
import { RequestModes } from "../assignment/request-modes.ts";
import { TopicQueues } from "../assignment/topic-queues.ts";
import { BrokerIdentity } from "../broker-identity.ts";
import { type BrokerTuning, brokerDefaults, type ResolvedBrokerOptions } from "../broker-options.ts";
import { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import { GroupNotifier } from "../consumer-groups/group-notifier.ts";
import { GroupRegistry } from "../consumer-groups/group-registry.ts";
import { LockKeeper } from "../consumer-groups/lock-keeper.ts";
import { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import { Offsets } from "../consumer-groups/offsets.ts";
import { ProducerGroups } from "../consumer-groups/producer-groups.ts";
import { SubscriptionGroups } from "../consumer-groups/subscription-groups.ts";
import { FilterRegistry } from "../filters/filter-registry.ts";
import { PullOffsets } from "../metrics/pull-offsets.ts";
import { PopService } from "../popping/pop-service.ts";
import { LongPoll } from "../pulling/long-poll.ts";
import { ScheduleService } from "../schedule/schedule-service.ts";
import { BrokerStats } from "../stats.ts";
import { TimerRoom } from "../timer/timer-room.ts";
import { TimerService } from "../timer/timer-service.ts";
import { systemTopics } from "../topics/system-topics.ts";
import { TopicDeletion } from "../topics/topic-deletion.ts";
import { TopicRegistry, type TopicRegistryNeeds } from "../topics/topic-registry.ts";
import { Topics } from "../topics/topics.ts";
import { TransactionService } from "../transactions/transaction-service.ts";
import { type Answer, call, type FakeExchange, type FakeRequest } from "./fake-exchange.ts";
import { ManualHost } from "./manual-host.ts";
import { MemoryStore } from "./memory-store.ts";

export interface RoomOptions {
  readonly tuning?: Partial<BrokerTuning>;
  readonly topicsFile?: TopicRegistryNeeds["file"];
  /** A store in memory, whose receipts say so. */
  readonly delayFile?: StateFile;
  readonly filtersFile?: StateFile;
  readonly orderFile?: StateFile;
  readonly modesFile?: StateFile;
  readonly transactionFile?: StateFile;
  readonly inMemory?: boolean;
  readonly logger?: Logger;
}

export function brokerRoom({
  tuning = {},
  topicsFile,
  delayFile,
  filtersFile,
  orderFile,
  modesFile,
  transactionFile,
  inMemory,
  logger = silentLogger,
}: RoomOptions = {}) {
  const host = new ManualHost();
  const { clock, timers } = host;
  const store = new MemoryStore((fn) => timers.afterTurn(fn));
  const options: ResolvedBrokerOptions = {
    ...brokerDefaults,
    store,
    listen: { host: "10.0.0.1", port: 10911 },
    namesrvAddrs: [],
    configFolder: inMemory === true ? undefined : "/store/config",
    ...tuning,
  };
  let lastRandom = 0;
  const random = {
    int: (bound: number) => lastRandom++ % bound,
    float: () => 0.5,
    bytes: (length: number) => new Uint8Array(length),
  };
  const identity = new BrokerIdentity();
  identity.set("10.0.0.1", "10.0.0.1", 10911);
  const changes: string[] = [];
  const topics = new TopicRegistry({
    clock,
    timers,
    logger,
    topics: new Topics(systemTopics(options), clock.wallMs()),
    file: topicsFile,
    onChanged: () => void changes.push("topics"),
  });
  const groups = new GroupRegistry({
    clock,
    timers,
    logger,
    groups: new SubscriptionGroups(clock.wallMs()),
    file: undefined,
    autoCreateSubscriptionGroup: options.autoCreateSubscriptionGroup,
    groupsMax: options.groupsMax,
  });
  const offsets = new OffsetRegistry({
    clock,
    timers,
    logger,
    offsets: new Offsets(options.consumerOffsetUpdateVersionStep, clock.wallMs()),
    store,
    file: undefined,
    flushConsumerOffsetInterval: options.flushConsumerOffsetInterval,
  });
  const filters = new FilterRegistry({ clock, timers, logger, file: filtersFile, options });
  const consumers = new ConsumerGroups((group) => filters.unregister(group));
  const notifier = new GroupNotifier({
    timers,
    consumers,
    groups,
    notifyConsumerIdsChangedEnable: options.notifyConsumerIdsChangedEnable,
  });
  const stats = new BrokerStats(clock, timers, options.brokerClusterName);
  const longPoll = new LongPoll(host, options.parkedPullsMax);
  store.subscribeArrivals(longPoll);
  const popping = new PopService({
    clock,
    timers,
    random,
    logger,
    store,
    options,
    identity,
    topics,
    groups,
    offsets,
    filters,
    stats,
    file: orderFile,
  });
  popping.start();
  const timed = new TimerService({
    clock,
    timers,
    files: undefined as never,
    logger,
    store,
    topics,
    identity,
    stats,
    options: { ...options, timerHome: undefined },
    damagedFile: undefined,
  });
  /** Timers by the wall clock, without a wheel behind them, unless the tuning says no. */
  const wheel = {
    isEnabled: options.timerWheelEnable,
    isCongested: () => false,
    isOver: () => false,
    stored: () => undefined,
  };
  const producers = new ProducerGroups(options.producerGroupsMax);
  const transactions = new TransactionService({
    clock,
    timers,
    logger,
    store,
    options,
    identity,
    topics,
    producers,
    offsets,
    stats,
    file: transactionFile,
  });
  transactions.start();
  const whenRegistered = (done: () => void) => timers.afterTurn(done);
  const needs = {
    topicDeletion: new TopicDeletion({
      ...{ logger, store, topics, groups, offsets, popping, whenRegistered },
    }),
    host,
    logger,
    clock,
    timers,
    random,
    store,
    options,
    identity,
    topics,
    groups,
    offsets,
    consumers,
    filters,
    producers,
    transactions,
    notifier,
    lockKeeper: new LockKeeper({ ...options, clock, timers, notifier, file: undefined }),
    longPoll,
    pullOffsets: new PullOffsets(),
    stats,
    timed,
    timerRoom: new TimerRoom({ options, clock, random, timed: wheel }),
    /** Not started. */
    schedule: new ScheduleService({
      ...options,
      clock,
      timers,
      logger,
      store,
      identity,
      topics,
      stats,
      file: delayFile,
    }),
    popping,
    requestModes: new RequestModes({ logger, file: modesFile }),
    topicQueues: new TopicQueues({
      clock,
      logger,
      client: {
        request: () => {
          throw new Error("a room without NameServers asks nobody");
        },
      },
      options,
      topics,
    }),
    brokerName: options.brokerName,
    storePath: undefined,
    files: {
      spaceSync: () => {
        throw new Error("a store in memory has no disk");
      },
    } as never,
    uniqueIds: new UniqueIdGenerator({
      address: Uint8Array.of(10, 0, 0, 1),
      pid: 1,
      instance: 1,
      counterStart: 0,
      nowMs: () => clock.wallMs(),
    }),
    whenRegistered,
    changes,
  };
  return needs;
}

export type BrokerRoom = ReturnType<typeof brokerRoom>;

/** The answer to a request that is answered by the end of the turn. */
export function answerTo(room: BrokerRoom, handler: RequestHandler, request: FakeRequest): Answer {
  const exchange: FakeExchange = call(handler, request);
  room.host.endTurn();
  if (exchange.answer === undefined) throw new Error("the request was not answered");
  return exchange.answer;
}
