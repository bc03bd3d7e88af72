/**
 * Which group filters which topic by what (RocketMQ: ConsumerFilterManager). A pure table; times are wall ms.
 *
 * A filter is
 *   alive   since its group's heartbeat brought it; a newer version with another expression replaces it, one that
 *           is illegal removes it
 *   dead    since its group has left or no longer subscribes to the topic; the same version wakes it again
 *   gone    when it has been dead for long
 *
 * consumerFilter.json:  {"filterDataByTopic":{"<topic>":{"groupFilterData":{"<group>":{"bloomFilterData":{"bitNum":112,
 *                         "bitPos":[int,int,int]},"bornTime","clientVersion","consumerGroup","dead","deadTime",
 *                         "expression","expressionType","topic"}},"topic"}}}
 */
import { isTagType, parseJsonFile, type SubscriptionData } from "@orbitmq/wire";
import { BrokerError } from "../broker-error.ts";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";
import { bloomFilterData } from "./bloom-positions.ts";
import type { SqlFilter } from "./sql-filter.ts";

export interface ConsumerFilterData {
  readonly topic: string;
  readonly consumerGroup: string;
  readonly expression: string;
  readonly expressionType: string;
  readonly bornTime: number;
  /** Alive while it is before `bornTime`. */
  readonly deadTime: number;
  /** The subscription's version. */
  readonly clientVersion: number;
}

export interface ConsumerFilter extends ConsumerFilterData {
  readonly filter: SqlFilter;
}

export type Compile = (expressionType: string, text: string) => SqlFilter | BrokerError;

/** How long before its end a broker is taken to have lost its consumers. */
const LOST_BEFORE_MS = 30_000;

export class ConsumerFilters {
  readonly #compile: Compile;
  readonly #filtersMax: number;
  /** group → topic → filter. */
  readonly #groups = new Map<string, Map<string, ConsumerFilter>>();
  #size = 0;

  constructor(compile: Compile, filtersMax: number) {
    this.#compile = compile;
    this.#filtersMax = filtersMax;
  }

  get size(): number {
    return this.#size;
  }

  /** Alive or dead. */
  get(topic: string, group: string): ConsumerFilter | undefined {
    return this.#groups.get(group)?.get(topic);
  }

  /** What a group subscribes to, in full. Returns whether anything changed. */
  register(group: string, subscriptions: readonly SubscriptionData[], nowMs: number): boolean {
    let changed = false;
    for (const subscription of subscriptions) {
      if (isTagType(subscription.expressionType)) continue;
      changed = this.#register(group, subscription, nowMs) || changed;
    }
    for (const [topic, filter] of this.#groups.get(group) ?? []) {
      if (isDead(filter) || subscriptions.some((subscription) => subscription.topic === topic)) continue;
      this.#put({ ...filter, deadTime: Math.max(filter.bornTime, nowMs) });
      changed = true;
    }
    return changed;
  }

  /** The group's last member has left. Returns whether anything changed. */
  unregister(group: string, nowMs: number): boolean {
    return this.register(group, [], nowMs);
  }

  /** Forgets what is dead for as long as `spanMs`. */
  clean(nowMs: number, spanMs: number): void {
    for (const topics of this.#groups.values()) {
      for (const filter of topics.values()) {
        if (isDead(filter) && nowMs - filter.deadTime >= spanMs) this.#delete(filter);
      }
    }
  }

  /** Takes what a file held. Returns those that no longer compile. */
  restore(filters: readonly ConsumerFilterData[], nowMs: number): ConsumerFilterData[] {
    const illegal: ConsumerFilterData[] = [];
    for (const data of filters) {
      const filter = this.#compile(data.expressionType, data.expression);
      if (filter instanceof BrokerError) {
        illegal.push(data);
        continue;
      }
      const deadTime = isDead(data) ? data.deadTime : Math.max(data.bornTime, nowMs - LOST_BEFORE_MS);
      if (this.#size < this.#filtersMax) this.#put({ ...data, deadTime, filter });
    }
    return illegal;
  }

  format(): string {
    const byTopic = new Map<string, { topic: string; groupFilterData: Map<string, object> }>();
    for (const topics of this.#groups.values()) {
      for (const { filter: _, ...data } of topics.values()) {
        const { topic, consumerGroup } = data;
        const entry = byTopic.get(topic) ?? { topic, groupFilterData: new Map() };
        byTopic.set(topic, entry);
        const bloom = bloomFilterData(consumerGroup, topic);
        entry.groupFilterData.set(consumerGroup, { ...data, bloomFilterData: bloom, dead: isDead(data) });
      }
    }
    return formatPrettyFastjson({ filterDataByTopic: byTopic });
  }

  #register(group: string, subscription: SubscriptionData, nowMs: number): boolean {
    const { topic, subString, expressionType, subVersion } = subscription;
    const known = this.get(topic, group);
    if (known !== undefined && subVersion < known.clientVersion) return false;
    if (known !== undefined && (subVersion === known.clientVersion || isSame(known, subscription))) {
      if (!isDead(known) && subVersion === known.clientVersion) return false;
      this.#put({ ...known, clientVersion: subVersion, deadTime: 0 });
      return true;
    }
    if (known !== undefined) this.#delete(known);
    const filter = this.#compile(expressionType, subString);
    if (filter instanceof BrokerError || this.#size >= this.#filtersMax) return known !== undefined;
    this.#put({
      topic,
      consumerGroup: group,
      expression: subString,
      expressionType,
      bornTime: nowMs,
      deadTime: 0,
      clientVersion: subVersion,
      filter,
    });
    return true;
  }

  #put(filter: ConsumerFilter): void {
    let topics = this.#groups.get(filter.consumerGroup);
    if (topics === undefined) {
      topics = new Map();
      this.#groups.set(filter.consumerGroup, topics);
    }
    if (!topics.has(filter.topic)) this.#size++;
    topics.set(filter.topic, filter);
  }

  #delete({ consumerGroup, topic }: ConsumerFilter): void {
    const topics = this.#groups.get(consumerGroup);
    if (topics?.delete(topic) !== true) return;
    this.#size--;
    if (topics.size === 0) this.#groups.delete(consumerGroup);
  }
}

function isDead({ deadTime, bornTime }: ConsumerFilterData): boolean {
  return deadTime >= bornTime;
}

function isSame(known: ConsumerFilter, { subString, expressionType }: SubscriptionData): boolean {
  return known.expression === subString && known.expressionType === expressionType;
}

/** Reads consumerFilter.json, ours or Java's. Throws WireError JSON_MALFORMED. */
export function parseConsumerFilters(text: string): ConsumerFilterData[] {
  const json = parseJsonFile(text, "consumerFilter.json");
  const filters: ConsumerFilterData[] = [];
  for (const [topic, entry] of json.object("filterDataByTopic").objects()) {
    for (const [group, data] of entry.object("groupFilterData").objects()) {
      filters.push({
        topic,
        consumerGroup: group,
        expression: data.optionalString("expression") ?? "",
        expressionType: data.optionalString("expressionType") ?? "",
        bornTime: data.integer("bornTime", 0),
        deadTime: data.integer("deadTime", 0),
        clientVersion: data.int64("clientVersion", 0),
      });
    }
  }
  return filters;
}
