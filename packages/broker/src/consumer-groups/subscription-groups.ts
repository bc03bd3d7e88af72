/**
 * What a broker knows of consumer groups beyond who is online (RocketMQ: SubscriptionGroupManager). A pure
 * table: it changes only through `apply`, so that changes can be logged and replayed.
 *
 * subscriptionGroup.json:  {"dataVersion":DataVersion,"forbiddenTable":{"<group>":{"<topic>":int}},
 *                           "subscriptionGroupTable":{"<group>":SubscriptionGroupConfig}}
 */
import {
  type DataVersion,
  dataVersionFromJson,
  newDataVersion,
  nextDataVersion,
  parseJsonFile,
} from "@orbitmq/wire";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";
import {
  newSubscriptionGroupConfig,
  type SubscriptionGroupConfig,
  subscriptionGroupConfigFromJson,
  subscriptionGroupConfigToJson,
} from "./subscription-group-config.ts";

/** `atMs` is wall time. */
export type GroupChange =
  /** Creates the group or replaces its configuration. */
  | { readonly kind: "group-put"; readonly group: SubscriptionGroupConfig; readonly atMs: number }
  /** Forgets the group and what it is forbidden. */
  | { readonly kind: "group-delete"; readonly group: string; readonly atMs: number }
  | {
      readonly kind: "read-forbid";
      readonly group: string;
      readonly topic: string;
      readonly forbidden: boolean;
      readonly atMs: number;
    };

export interface SubscriptionGroupsSnapshot {
  readonly groups: readonly SubscriptionGroupConfig[];
  readonly dataVersion: DataVersion;
  /** group → topic → bits; bit 2 (value 4) forbids reading. Kept as it came. */
  readonly forbidden: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Groups every broker knows (RocketMQ: MixAll). */
const BUILT_IN = [
  "TOOLS_CONSUMER",
  "FILTERSRV_CONSUMER",
  "SELF_TEST_C_GROUP",
  "CID_ONS-HTTP-PROXY",
  "CID_ONSAPI_PULL",
  "CID_ONSAPI_PERMISSION",
  "CID_ONSAPI_OWNER",
  "CID_RMQ_SYS_TRANS",
];

const FORBIDDEN_READ = 4;

export class SubscriptionGroups {
  readonly #table = new Map<string, SubscriptionGroupConfig>();
  #forbidden = new Map<string, ReadonlyMap<string, number>>();
  #dataVersion: DataVersion;

  constructor(nowMs: number) {
    for (const name of BUILT_IN) this.#table.set(name, newSubscriptionGroupConfig(name));
    this.#dataVersion = newDataVersion(nowMs);
  }

  get dataVersion(): DataVersion {
    return this.#dataVersion;
  }

  get size(): number {
    return this.#table.size;
  }

  get table(): ReadonlyMap<string, SubscriptionGroupConfig> {
    return this.#table;
  }

  /** group → topic → bits. */
  get forbidden(): ReadonlyMap<string, ReadonlyMap<string, number>> {
    return this.#forbidden;
  }

  get(group: string): SubscriptionGroupConfig | undefined {
    return this.#table.get(group);
  }

  isReadForbidden(group: string, topic: string): boolean {
    return ((this.#forbidden.get(group)?.get(topic) ?? 0) & FORBIDDEN_READ) !== 0;
  }

  apply(change: GroupChange): void {
    switch (change.kind) {
      case "group-put":
        this.#table.set(change.group.groupName, change.group);
        break;
      case "group-delete":
        this.#table.delete(change.group);
        this.#forbidden.delete(change.group);
        break;
      case "read-forbid":
        this.#forbid(change.group, change.topic, change.forbidden);
        break;
    }
    this.#dataVersion = nextDataVersion(this.#dataVersion, change.atMs);
  }

  restore(snapshot: SubscriptionGroupsSnapshot): void {
    for (const group of snapshot.groups) this.#table.set(group.groupName, group);
    this.#forbidden = new Map(snapshot.forbidden);
    this.#dataVersion = snapshot.dataVersion;
  }

  #forbid(group: string, topic: string, forbidden: boolean): void {
    const topics = new Map(this.#forbidden.get(group));
    const bits = topics.get(topic) ?? 0;
    const changed = forbidden ? bits | FORBIDDEN_READ : bits & ~FORBIDDEN_READ;
    if (changed === 0) topics.delete(topic);
    else topics.set(topic, changed);
    if (topics.size === 0) this.#forbidden.delete(group);
    else this.#forbidden.set(group, topics);
  }

  format(): string {
    const subscriptionGroupTable = new Map<string, object>();
    for (const [name, group] of this.#table) {
      subscriptionGroupTable.set(name, subscriptionGroupConfigToJson(group));
    }
    return formatPrettyFastjson({
      dataVersion: this.#dataVersion,
      forbiddenTable: this.#forbidden,
      subscriptionGroupTable,
    });
  }
}

/** Reads subscriptionGroup.json, ours or Java's. Throws WireError JSON_MALFORMED. */
export function parseSubscriptionGroups(text: string): SubscriptionGroupsSnapshot {
  const json = parseJsonFile(text, "subscriptionGroup.json");
  const forbidden = new Map<string, ReadonlyMap<string, number>>();
  for (const [group, topics] of json.object("forbiddenTable").objects()) {
    forbidden.set(group, new Map(topics.keys().map((topic) => [topic, topics.integer(topic)])));
  }
  return {
    groups: json
      .object("subscriptionGroupTable")
      .objects()
      .map(([name, group]) => subscriptionGroupConfigFromJson(group, name)),
    dataVersion: dataVersionFromJson(json.object("dataVersion")),
    forbidden,
  };
}
