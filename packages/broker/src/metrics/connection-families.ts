/** Who is online, and whether the members of a group agree. */
import type { MetricFamily, MetricPoint } from "@orbitmq/host";
import { languageName, mqVersionName, type Peer } from "@orbitmq/wire";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { ProducerGroups } from "../consumer-groups/producer-groups.ts";
import type { BrokerStats } from "../stats.ts";
import { isSystemGroup } from "./consumer-lag.ts";
import { family, single } from "./families.ts";

interface ConnectionNeeds {
  readonly consumers: ConsumerGroups;
  readonly producers: ProducerGroups;
  readonly stats: BrokerStats;
}

const PRODUCER_LABELS = ["language", "version"];
const CONSUMER_LABELS = ["language", "version", "consumer_group", "consume_mode", "is_system"];

export function* connectionFamilies({
  consumers,
  producers,
  stats,
}: ConnectionNeeds): Generator<MetricFamily> {
  const produced = new Map<string, number>();
  const consumed = new Map<string, number>();
  for (const peer of producers.peers()) add(produced, kindOf(peer));
  for (const { name, consumeType, members } of consumers.all()) {
    const group = `${name} ${consumeModeOf(consumeType)} ${isSystemGroup(name)}`;
    for (const peer of members.keys()) add(consumed, `${kindOf(peer)} ${group}`);
  }
  const producing = pointsOf(produced, PRODUCER_LABELS);
  const consuming = pointsOf(consumed, CONSUMER_LABELS);
  yield family("rocketmq_producer_connections", "gauge", "Producers online", producing);
  yield family("rocketmq_consumer_connections", "gauge", "Consumers online", consuming);
  yield single(
    "orbitmq_subscription_differing_groups",
    "gauge",
    "Groups online whose members subscribe to different things",
    consumers.differing().length,
  );
  yield single(
    "orbitmq_subscription_differences_total",
    "counter",
    "Times a member turned out to subscribe to something else than others of its group",
    stats.differingSubscriptions,
  );
}

/** No part contains a blank. */
function kindOf({ language, version }: Peer): string {
  return `${languageName(language) ?? "other"} ${mqVersionName(version)}`.toLowerCase();
}

function* pointsOf(counts: ReadonlyMap<string, number>, names: readonly string[]): Generator<MetricPoint> {
  for (const [key, value] of counts) {
    const parts = key.split(" ");
    const labels = Object.fromEntries(names.map((name, index) => [name, parts[index] ?? ""]));
    yield { labels: { ...labels, protocol_type: "remoting" }, value };
  }
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** RocketMQ: ConsumeType.getTypeCN, in small letters. */
function consumeModeOf(consumeType: string): string {
  if (consumeType === "CONSUME_POP") return "pop";
  return consumeType === "CONSUME_ACTIVELY" ? "pull" : "push";
}
