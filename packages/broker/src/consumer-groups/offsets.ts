/**
 * How far each group has consumed each queue (RocketMQ: ConsumerOffsetManager). A pure table: it changes only
 * through `apply`, so that changes can be logged and replayed. Whoever applies a commit has bounded it by the
 * queue's readable end; `beyond` finds what a lost log tail left too high.
 *
 * consumerOffset.json:  {"dataVersion":DataVersion,"groupTopicMap":{"<group>":["<topic>"]},
 *                        "offsetTable":{"<topic>@<group>":{0:12,1:34}},"popMark":4711}
 *
 * popMark is ours: these offsets know of every pop whose checkpoint ends there in the log, or before.
 */
import {
  type DataVersion,
  dataVersionFromJson,
  newDataVersion,
  nextDataVersion,
  parseJsonFile,
} from "@orbitmq/wire";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";

export type OffsetChange =
  | {
      readonly kind: "offset-commit";
      readonly topic: string;
      readonly group: string;
      readonly queueId: number;
      readonly offset: number;
      /** Wall time. */
      readonly atMs: number;
    }
  /** All offsets of a group are forgotten. */
  | { readonly kind: "group-forget"; readonly group: string; readonly atMs: number }
  /** All offsets of a topic are forgotten. */
  | { readonly kind: "topic-forget"; readonly topic: string; readonly atMs: number };

export interface OffsetEntry {
  readonly topic: string;
  readonly group: string;
  readonly queueId: number;
  readonly offset: number;
}

export interface OffsetsSnapshot {
  readonly entries: readonly OffsetEntry[];
  readonly dataVersion: DataVersion;
  readonly popMark: number | undefined;
}

const TOPIC_GROUP_SEPARATOR = "@";

export class Offsets {
  /** group → topic → queue id → offset. */
  readonly #table = new Map<string, Map<string, Map<number, number>>>();
  /** The version advances every so many changes (RocketMQ: consumerOffsetUpdateVersionStep). */
  readonly #versionStep: number;
  #changes = 0;
  #dataVersion: DataVersion;

  constructor(versionStep: number, nowMs: number) {
    this.#versionStep = versionStep;
    this.#dataVersion = newDataVersion(nowMs);
  }

  /** `undefined` when the group has committed nothing for this queue. */
  get(group: string, topic: string, queueId: number): number | undefined {
    return this.#table.get(group)?.get(topic)?.get(queueId);
  }

  apply(change: OffsetChange): void {
    if (change.kind === "group-forget") this.#table.delete(change.group);
    else if (change.kind === "topic-forget") this.#forgetTopic(change.topic);
    else this.#put(change);
    this.#changes++;
    if (this.#changes % this.#versionStep === 0) {
      this.#dataVersion = nextDataVersion(this.#dataVersion, change.atMs);
    }
  }

  restore(snapshot: OffsetsSnapshot): void {
    for (const entry of snapshot.entries) this.#put(entry);
    this.#dataVersion = snapshot.dataVersion;
  }

  /** Topics the group has offsets of. */
  topicsOf(group: string): string[] {
    return [...(this.#table.get(group)?.keys() ?? [])];
  }

  /** Groups that have offsets of the topic. */
  groupsOf(topic: string): string[] {
    const groups: string[] = [];
    for (const [group, topics] of this.#table) if (topics.has(topic)) groups.push(group);
    return groups;
  }

  /** Offsets of one group and topic by queue. */
  queuesOf(group: string, topic: string): ReadonlyMap<number, number> {
    return this.#table.get(group)?.get(topic) ?? new Map();
  }

  /** Every entry that lies past the end of its queue. */
  beyond(readableEnd: (topic: string, queueId: number) => number): OffsetEntry[] {
    return this.entries().filter((entry) => entry.offset > readableEnd(entry.topic, entry.queueId));
  }

  entries(): OffsetEntry[] {
    const entries: OffsetEntry[] = [];
    for (const [group, topics] of this.#table) {
      for (const [topic, queues] of topics) {
        for (const [queueId, offset] of queues) entries.push({ group, topic, queueId, offset });
      }
    }
    return entries;
  }

  format(popMark?: number): string {
    const offsetTable = new Map<string, ReadonlyMap<number, number>>();
    const groupTopicMap = new Map<string, string[]>();
    for (const [group, topics] of this.#table) {
      groupTopicMap.set(group, [...topics.keys()]);
      for (const [topic, queues] of topics) {
        offsetTable.set(
          topic + TOPIC_GROUP_SEPARATOR + group,
          new Map([...queues].sort(([a], [b]) => a - b)),
        );
      }
    }
    return formatPrettyFastjson({ dataVersion: this.#dataVersion, groupTopicMap, offsetTable, popMark });
  }

  #forgetTopic(topic: string): void {
    for (const [group, topics] of this.#table) {
      if (topics.delete(topic) && topics.size === 0) this.#table.delete(group);
    }
  }

  #put({ group, topic, queueId, offset }: OffsetEntry): void {
    let topics = this.#table.get(group);
    if (topics === undefined) {
      topics = new Map();
      this.#table.set(group, topics);
    }
    let queues = topics.get(topic);
    if (queues === undefined) {
      queues = new Map();
      topics.set(topic, queues);
    }
    queues.set(queueId, offset);
  }
}

/** Reads consumerOffset.json, ours or Java's. Throws WireError JSON_MALFORMED. */
export function parseOffsets(text: string): OffsetsSnapshot {
  const json = parseJsonFile(text, "consumerOffset.json");
  const entries: OffsetEntry[] = [];
  for (const [key, queues] of json.object("offsetTable").objects()) {
    const [topic, group, ...more] = key.split(TOPIC_GROUP_SEPARATOR);
    // RocketMQ skips keys of another shape, too: neither name can contain the separator.
    if (topic === undefined || group === undefined || more.length > 0) continue;
    for (const name of queues.keys()) {
      const queueId = Number(name);
      const offset = queues.integer(name);
      if (Number.isSafeInteger(queueId) && offset >= 0) entries.push({ topic, group, queueId, offset });
    }
  }
  const dataVersion = dataVersionFromJson(json.object("dataVersion"));
  return { entries, dataVersion, popMark: json.optionalInteger("popMark") };
}
