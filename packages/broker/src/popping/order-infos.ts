/**
 * What is popped in order, of all groups, with its file (RocketMQ: ConsumerOrderInfoManager).
 *
 * consumerOrderInfo.json:  {"table":{"<topic>@<group>":{<queueId>:{"a"?,"cm","i","l","o":[first,distance,…],
 *                            "oc"?:{<offset>:count},"ot"?:{<offset>:wall ms},"popTime"}}}}
 *
 * The file is written some seconds after the first change: a crash may open a queue too early, and never skips a
 * message, because only what is acknowledged is committed.
 */
import type { Clock, Logger, TimerHandle, Timers } from "@orbitmq/host";
import type { StateFile } from "@orbitmq/store";
import { parseJsonFile } from "@orbitmq/wire";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";
import { OrderInfo, type OrderMoment, type OrderPop, type OrderRecord } from "./order-info.ts";
import { CHECK_POINT_MESSAGES_MAX } from "./revive-records.ts";

/** What nobody has touched for so long is not kept. */
const KEPT_MS = 86_400_000;

export interface OrderInfosNeeds {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Absent: nothing is kept. */
  readonly file: StateFile | undefined;
  readonly flushConsumerOrderInfoInterval: number;
  readonly popInvisibleTimeMillisMax: number;
}

export class OrderInfos {
  readonly #needs: OrderInfosNeeds;
  /** `topic@group` → queue id. */
  readonly #table = new Map<string, Map<number, OrderInfo>>();
  #timer: TimerHandle | undefined;
  #dirty = false;

  constructor(needs: OrderInfosNeeds) {
    this.#needs = needs;
  }

  load(): void {
    const { file, popInvisibleTimeMillisMax } = this.#needs;
    const loaded = file?.load(parseOrderInfos);
    const now = this.#now();
    for (const [key, queues] of loaded?.value ?? []) {
      for (const [queueId, record] of queues) {
        this.#put(key, queueId, new OrderInfo(record, now, popInvisibleTimeMillisMax));
      }
    }
  }

  get(group: string, topic: string, queueId: number): OrderInfo | undefined {
    return this.#table.get(keyOf(group, topic))?.get(queueId);
  }

  /** When the queue opens, monotonic ms, if it is closed for `attemptId`. */
  closedUntilMs(
    group: string,
    topic: string,
    queueId: number,
    attemptId: string | undefined,
  ): number | undefined {
    const info = this.get(group, topic, queueId);
    if (info?.isClosedFor(attemptId, this.#needs.clock.monotonicMs()) !== true) return undefined;
    return info.opensAtMs;
  }

  popped(group: string, topic: string, queueId: number, pop: OrderPop): OrderInfo {
    const info = OrderInfo.popped(pop, this.get(group, topic, queueId), this.#now());
    this.#put(keyOf(group, topic), queueId, info);
    this.#changed();
    return info;
  }

  /** The offset to commit; `undefined`: nothing of the kind was popped. */
  acknowledge(
    group: string,
    topic: string,
    queueId: number,
    offset: number,
    popTime: number,
  ): number | undefined {
    const info = this.get(group, topic, queueId);
    const next = info?.acknowledge(offset, popTime);
    if (info === undefined || next === undefined) return undefined;
    this.#changed();
    return next;
  }

  changeVisible(
    group: string,
    topic: string,
    queueId: number,
    handle: { readonly offset: number; readonly popTime: number },
    invisibleTime: number,
  ): boolean {
    const info = this.get(group, topic, queueId);
    const changed = info?.changeVisible(handle.offset, handle.popTime, invisibleTime, this.#now()) === true;
    if (changed) this.#changed();
    return changed;
  }

  /** The queue is open: nothing of it is popped. */
  clear(group: string, topic: string, queueId: number): void {
    const queues = this.#table.get(keyOf(group, topic));
    if (queues?.delete(queueId) !== true) return;
    if (queues.size === 0) this.#table.delete(keyOf(group, topic));
    this.#changed();
  }

  /** Writes what is not written for certain. Throws HostError. */
  stop(): void {
    const { file } = this.#needs;
    this.#timer?.cancel();
    try {
      if (this.#dirty) file?.saveSync(this.#format());
      this.#dirty = false;
    } finally {
      file?.close();
    }
  }

  #now(): OrderMoment {
    const { clock } = this.#needs;
    return { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  }

  #put(key: string, queueId: number, info: OrderInfo): void {
    const queues = this.#table.get(key) ?? new Map<number, OrderInfo>();
    this.#table.set(key, queues.set(queueId, info));
  }

  #changed(): void {
    const { file, timers, flushConsumerOrderInfoInterval } = this.#needs;
    if (file === undefined) return;
    this.#dirty = true;
    this.#timer ??= timers.after(flushConsumerOrderInfoInterval, () => {
      this.#timer = undefined;
      this.#dirty = false;
      file.save(this.#format(), (error) => {
        if (error !== undefined) this.#dirty = true;
      });
    });
  }

  #format(): string {
    const nowMs = this.#needs.clock.wallMs();
    for (const [key, queues] of this.#table) {
      for (const [queueId, info] of queues) {
        if (nowMs - info.lastConsumeTimestamp > KEPT_MS) queues.delete(queueId);
      }
      if (queues.size === 0) this.#table.delete(key);
    }
    return formatOrderInfos(this.#table);
  }
}

function keyOf(group: string, topic: string): string {
  return `${topic}@${group}`;
}

type OrderTable = ReadonlyMap<string, ReadonlyMap<number, OrderRecord>>;

export function formatOrderInfos(infos: OrderTable): string {
  const table = new Map<string, Map<number, object>>();
  for (const [key, queues] of infos) {
    const entries = [...queues].map(([queueId, info]): [number, object] => [queueId, orderToJson(info)]);
    table.set(key, new Map(entries));
  }
  return formatPrettyFastjson({ table });
}

function orderToJson(info: OrderRecord): object {
  const first = info.offsets[0] ?? 0;
  return {
    a: info.attemptId,
    cm: info.ackedBits >>> 0,
    i: info.invisibleTime,
    l: info.lastConsumeTimestamp,
    o: info.offsets.map((offset, index) => (index === 0 ? offset : offset - first)),
    oc: info.counts.size === 0 ? undefined : info.counts,
    ot: info.nextVisible.size === 0 ? undefined : info.nextVisible,
    popTime: info.popTime,
  };
}

/** Reads consumerOrderInfo.json, ours or Java's. Throws WireError JSON_MALFORMED. */
export function parseOrderInfos(text: string): OrderTable {
  const json = parseJsonFile(text, "consumerOrderInfo.json");
  const table = new Map<string, Map<number, OrderRecord>>();
  for (const [key, queues] of json.object("table").objects()) {
    const infos = new Map<number, OrderRecord>();
    for (const [queueId, info] of queues.objects()) {
      const record = orderFromJson(info);
      if (/^\d{1,9}$/.test(queueId) && record.offsets.length > 0) infos.set(Number(queueId), record);
    }
    if (infos.size > 0) table.set(key, infos);
  }
  return table;
}

type Json = ReturnType<typeof parseJsonFile>;

function orderFromJson(json: Json): OrderRecord {
  const distances = json.integers("o").slice(0, CHECK_POINT_MESSAGES_MAX);
  const first = distances[0] ?? 0;
  return {
    popTime: json.integer("popTime", 0),
    invisibleTime: Math.max(0, json.integer("i", 0)),
    offsets: distances.map((distance, index) => (index === 0 ? distance : first + distance)),
    ackedBits: json.integer("cm", 0) | 0,
    nextVisible: numbersOf(json, "ot"),
    counts: numbersOf(json, "oc"),
    lastConsumeTimestamp: json.integer("l", 0),
    attemptId: json.optionalString("a"),
  };
}

function numbersOf(json: Json, name: string): Map<number, number> {
  const members = json.object(name);
  const numbers = new Map<number, number>();
  for (const key of members.keys()) {
    if (/^\d{1,15}$/.test(key)) numbers.set(Number(key), members.integer(key));
  }
  return numbers;
}
