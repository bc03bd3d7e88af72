/**
 * How far behind consumer groups are (RocketMQ: ConsumerLagCalculator): one row for each group online and topic it
 * subscribes to, another for the retry topic of a group that pops. There may be thousands of groups with dozens of queues
 * each: they are gone through a few milliseconds at a time, and the store times, which may lie on the disk, are asked for
 * a few at once, for as long as a scrape can wait; what was not learned then is learned at one of the next.
 *
 *   resting → counting, in slices → looking up store times → resting
 */
import type { Clock, Timers } from "@orbitmq/host";
import type { MessageStore } from "@orbitmq/store";
import { isReadable, isWritable, popNormalTopicOf, popRetryTopicV1, popRetryTopicV2 } from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import type { ConsumerGroups } from "../consumer-groups/consumer-groups.ts";
import type { GroupRegistry } from "../consumer-groups/group-registry.ts";
import type { OffsetRegistry } from "../consumer-groups/offset-registry.ts";
import { isReservedTopic, isRetryTopic } from "../names.ts";
import type { PopService } from "../popping/pop-service.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";
import type { PullOffsets } from "./pull-offsets.ts";

export interface ConsumerLagNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly store: Pick<MessageStore, "readableEnd" | "storeTimestampAt">;
  readonly options: Pick<ResolvedBrokerOptions, "brokerPermission" | "enableRetryTopicV2">;
  readonly topics: Pick<TopicRegistry, "get">;
  readonly groups: Pick<GroupRegistry, "groups">;
  readonly consumers: Pick<ConsumerGroups, "all" | "get">;
  readonly offsets: OffsetRegistry;
  readonly pullOffsets: PullOffsets;
  readonly popping: { readonly log: Pick<PopService["log"], "table"> };
}

export interface LagRow {
  readonly group: string;
  readonly topic: string;
  readonly isRetry: boolean;
  /** Messages not consumed, given out and not consumed, and not given out. */
  lag: number;
  inflight: number;
  ready: number;
  /** Store time, wall ms, of the first message not consumed, and not given out; 0: there is none; undefined: not known yet. */
  unconsumedSinceMs: number | undefined;
  unpulledSinceMs: number | undefined;
}

/** Messages that wait for a group nobody of which is online. */
export interface OfflineRow {
  readonly group: string;
  readonly topic: string;
  lag: number;
}

/** The event loop is given back after so long. */
const SLICE_MS = 2;
/** Looked at between two looks at the clock. */
const STEP_QUEUES = 64;
/** Rows at most; groups beyond are left out. */
const ROWS_MAX = 50_000;
const LOOKUPS_AT_ONCE = 4;
/** Together, then the scrape goes on without. */
const LOOKUPS_MS = 1_000;

interface Lookup {
  readonly row: LagRow;
  readonly field: "unconsumedSinceMs" | "unpulledSinceMs";
  readonly topic: string;
  readonly queueId: number;
  readonly offset: number;
}

export class ConsumerLag {
  rows: readonly LagRow[] = [];
  offline: readonly OfflineRow[] = [];
  readonly #needs: ConsumerLagNeeds;
  #waiting: (() => void)[] | undefined;
  /** Store times by queue and offset, of the last two rounds. */
  #times = new Map<string, number>();
  #newTimes = new Map<string, number>();

  constructor(needs: ConsumerLagNeeds) {
    this.#needs = needs;
  }

  /** Counts anew; those who ask meanwhile get the same. `done` may be called at once. */
  refresh(done: () => void): void {
    if (this.#waiting !== undefined) {
      this.#waiting.push(done);
      return;
    }
    this.#waiting = [done];
    const rows: LagRow[] = [];
    const offline: OfflineRow[] = [];
    const lookups: Lookup[] = [];
    this.#inSlices(this.#count(rows, offline, lookups), () =>
      this.#lookUp(lookups, () => {
        this.rows = rows;
        this.offline = offline;
        this.#times = this.#newTimes;
        this.#newTimes = new Map();
        const waiting = this.#waiting ?? [];
        this.#waiting = undefined;
        for (const each of waiting) each();
      }),
    );
  }

  #inSlices(work: Generator<void>, done: () => void): void {
    const { clock, timers } = this.#needs;
    const untilMs = clock.monotonicMs() + SLICE_MS;
    do {
      if (work.next().done === true) {
        done();
        return;
      }
    } while (clock.monotonicMs() < untilMs);
    timers.afterTurn(() => this.#inSlices(work, done));
  }

  *#count(rows: LagRow[], offline: OfflineRow[], lookups: Lookup[]): Generator<void> {
    const popped = yield* this.#popped();
    const { topics, options, consumers } = this.#needs;
    for (const { name: group, consumeType, subscriptions } of [...consumers.all()]) {
      const isPop = consumeType === "CONSUME_POP";
      for (const topic of [...subscriptions.keys()]) {
        if (isRetryTopic(topic) || rows.length >= ROWS_MAX) continue;
        const config = topics.get(topic);
        const perm = (config?.perm ?? 0) & options.brokerPermission;
        if (!isReadable(perm) && !isWritable(perm)) continue;
        yield* this.#row(group, topic, topic, isPop ? popped : undefined, rows, lookups);
        if (!isPop) continue;
        const retry = options.enableRetryTopicV2 ? popRetryTopicV2 : popRetryTopicV1;
        yield* this.#row(group, topic, retry(topic, group), popped, rows, lookups);
      }
    }
    yield* this.#offline(offline);
  }

  /** Messages popped and not acknowledged, by topic, group and queue. */
  *#popped(): Generator<void, ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    let steps = 0;
    for (const { topic, group, queueId, allBits, ackedBits } of this.#needs.popping.log.table.all()) {
      const key = `${topic}@${group}@${queueId}`;
      counts.set(key, (counts.get(key) ?? 0) + bitCount(allBits & ~ackedBits));
      if (++steps % STEP_QUEUES === 0) yield;
    }
    return counts;
  }

  *#row(
    group: string,
    topic: string,
    from: string,
    popped: ReadonlyMap<string, number> | undefined,
    rows: LagRow[],
    lookups: Lookup[],
  ): Generator<void> {
    const { store, offsets, pullOffsets, topics } = this.#needs;
    const isRetry = from !== topic;
    const row: LagRow = {
      group,
      topic,
      isRetry,
      lag: 0,
      inflight: 0,
      ready: 0,
      unconsumedSinceMs: 0,
      unpulledSinceMs: 0,
    };
    rows.push(row);
    const queues = topics.get(from)?.writeQueueNums ?? 0;
    for (let queueId = 0; queueId < queues; queueId++) {
      if (queueId % STEP_QUEUES === 0) yield;
      const end: number = store.readableEnd(from, queueId);
      const committed = Math.min(offsets.get(group, from, queueId) ?? end, end);
      let consumed = committed;
      let pulled = committed;
      let inflight = 0;
      if (popped === undefined) {
        pulled = Math.min(Math.max(pullOffsets.get(group, topic, queueId) ?? committed, committed), end);
        inflight = pulled - committed;
        row.lag += end - committed;
      } else {
        inflight = popped.get(`${from}@${group}@${queueId}`) ?? 0;
        consumed = Math.max(0, committed - inflight);
        row.lag += end - committed + inflight;
      }
      row.inflight += inflight;
      row.ready += end - pulled;
      const place = { row, topic: from, queueId };
      if (consumed < end) lookups.push({ ...place, field: "unconsumedSinceMs", offset: consumed });
      if (pulled < end) lookups.push({ ...place, field: "unpulledSinceMs", offset: pulled });
    }
  }

  *#offline(offline: OfflineRow[]): Generator<void> {
    const { groups, consumers, offsets, topics, store } = this.#needs;
    for (const group of [...groups.groups.table.keys()]) {
      yield;
      if (consumers.get(group) !== undefined || isSystemGroup(group)) continue;
      for (const topic of offsets.offsets.topicsOf(group)) {
        if (isRetryTopic(topic) || isReservedTopic(topic) || offline.length >= ROWS_MAX) continue;
        if (topics.get(topic) === undefined) continue;
        const row = { group, topic: popNormalTopicOf(topic, group), lag: 0 };
        for (const [queueId, offset] of offsets.offsets.queuesOf(group, topic)) {
          row.lag += Math.max(0, store.readableEnd(topic, queueId) - offset);
        }
        offline.push(row);
        yield;
      }
    }
  }

  #lookUp(lookups: readonly Lookup[], done: () => void): void {
    const { clock, store } = this.#needs;
    const untilMs = clock.monotonicMs() + LOOKUPS_MS;
    let next = 0;
    let under = 0;
    let isOver = false;
    const go = function* (this: ConsumerLag): Generator<void> {
      while (next < lookups.length && under < LOOKUPS_AT_ONCE) {
        const lookup = lookups[next++]!;
        const key = `${lookup.topic}@${lookup.queueId}@${lookup.offset}`;
        const known = this.#times.get(key) ?? this.#newTimes.get(key);
        if (known !== undefined) this.#learned(lookup, key, known);
        else if (clock.monotonicMs() >= untilMs) lookup.row[lookup.field] = undefined;
        else {
          under++;
          store.storeTimestampAt(lookup.topic, lookup.queueId, lookup.offset, (timestampMs) => {
            under--;
            this.#learned(lookup, key, Math.max(0, timestampMs));
            goOn();
          });
        }
        yield;
      }
    }.bind(this);
    let isRunning = false;
    const goOn = (): void => {
      if (isRunning || isOver) return;
      isRunning = true;
      this.#inSlices(go(), () => {
        isRunning = false;
        if (next < lookups.length || under > 0 || isOver) return;
        isOver = true;
        done();
      });
    };
    goOn();
  }

  #learned({ row, field }: Lookup, key: string, timestampMs: number): void {
    this.#newTimes.set(key, timestampMs);
    const before = row[field];
    if (before === undefined || timestampMs === 0) return;
    row[field] = before === 0 ? timestampMs : Math.min(before, timestampMs);
  }
}

/** RocketMQ: BrokerMetricsManager.isSystemGroup. */
export function isSystemGroup(group: string): boolean {
  return group.toLowerCase().startsWith("cid_rmq_sys_");
}

function bitCount(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
