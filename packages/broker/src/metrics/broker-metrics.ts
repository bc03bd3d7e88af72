/**
 * The broker's metrics under RocketMQ's names and labels (RocketMQ: BrokerMetricsManager, PopMetricsManager,
 * RemotingMetricsManager), and a few of ours, `orbitmq_…`. Nothing is counted here: what others count is named when it is
 * read. docs/metrics.md says what each means, and which of RocketMQ's are left out.
 *
 * A reading is `refresh`, which goes through the groups in slices, then `families`, whose points are made one by one.
 */
import type { MetricFamily, MetricPoint } from "@orbitmq/host";
import type { RpcLatency, RpcServerStatus } from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";
import type { PopService } from "../popping/pop-service.ts";
import type { BrokerStats } from "../stats.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import type { TransactionService } from "../transactions/transaction-service.ts";
import { connectionFamilies } from "./connection-families.ts";
import { ConsumerLag, type ConsumerLagNeeds } from "./consumer-lag.ts";
import { family, map, single } from "./families.ts";
import { lagFamilies } from "./lag-families.ts";
import { messageFamilies } from "./message-families.ts";
import { popFamilies } from "./pop-families.ts";
import { rpcFamilies } from "./rpc-families.ts";
import { storeFamilies } from "./store-families.ts";
import { StoreReading, type StoreReadingNeeds } from "./store-reading.ts";
import { timerFamilies } from "./timer-families.ts";
import { transactionFamilies } from "./transaction-families.ts";

export interface BrokerMetricsNeeds extends ConsumerLagNeeds, StoreReadingNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly store: StoreReadingNeeds["store"];
  readonly topics: TopicRegistry;
  readonly stats: BrokerStats;
  readonly consumers: ConsumerGroups;
  readonly producers: ProducerGroups;
  readonly transactions: Pick<TransactionService, "halves">;
  readonly popping: PopService;
  readonly latency: RpcLatency;
  readonly server: () => RpcServerStatus;
  /** Pulls and pops that wait for a message. */
  readonly parked: () => number;
}

export class BrokerMetrics {
  readonly #needs: BrokerMetricsNeeds;
  readonly #lag: ConsumerLag;
  readonly #store: StoreReading;

  constructor(needs: BrokerMetricsNeeds) {
    this.#needs = needs;
    this.#lag = new ConsumerLag(needs);
    this.#store = new StoreReading(needs);
  }

  /** Learns what takes time to learn. `done` may be called at once. */
  refresh(done: () => void): void {
    let missing = 2;
    const countDown = (): void => {
      if (--missing === 0) done();
    };
    this.#lag.refresh(countDown);
    this.#store.refresh(countDown);
  }

  *families(): Generator<MetricFamily> {
    const needs = this.#needs;
    const { options, clock, latency, server, timed } = needs;
    yield* brokerFamilies(needs);
    yield* messageFamilies(needs);
    yield* connectionFamilies(needs);
    yield* lagFamilies(this.#lag, options, clock.wallMs());
    yield* transactionFamilies(needs);
    yield* storeFamilies(needs, this.#store);
    if (timed.isEnabled) yield* timerFamilies(needs, this.#store);
    yield* popFamilies(needs);
    yield* rpcFamilies(latency, server());
  }
}

function* brokerFamilies(needs: BrokerMetricsNeeds): Generator<MetricFamily> {
  const { options, topics, groups, stats, server, parked } = needs;
  const sends = stats.counted.sendsWaiting();
  const waiting = parked();
  const reads = Math.max(0, server().requestsInFlight - waiting - sends);
  yield family("rocketmq_processor_watermark", "gauge", "Requests that wait for the disk, by processor", [
    { labels: { processor: "send" }, value: sends },
    { labels: { processor: "pull" }, value: reads },
  ]);
  const { brokerPermission } = options;
  yield single("rocketmq_broker_permission", "gauge", "4 readable, 2 writable", brokerPermission);
  yield single("rocketmq_topic_number", "gauge", "Topics", topics.topics.size);
  yield single("rocketmq_consumer_group_number", "gauge", "Subscription groups", groups.groups.size);
  yield single("orbitmq_requests_parked", "gauge", "Pulls and pops that wait for a message", waiting);
  const { topicCreations, groupCreations } = stats.counted;
  for (const [name, by] of [
    ["topic", topicCreations],
    ["consumer_group", groupCreations],
  ] as const) {
    const points = map(by.entries(), ([key, value]): MetricPoint => {
      const [invocation_status = "", is_system] = key.split(" ");
      return { labels: { invocation_status, ...(is_system === undefined ? {} : { is_system }) }, value };
    });
    const help = "How long creating or changing one took";
    yield family(`rocketmq_${name}_create_execution_time`, "histogram", help, points, "milliseconds");
  }
}
