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

export type GroupChange =
  /** Creates the group or replaces its configuration. `atMs` is wall time. */
  { readonly kind: "group-put"; readonly group: SubscriptionGroupConfig; readonly atMs: number };

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
  #forbidden: ReadonlyMap<string, ReadonlyMap<string, number>> = new Map();
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

  get(group: string): SubscriptionGroupConfig | undefined {
    return this.#table.get(group);
  }

  isReadForbidden(group: string, topic: string): boolean {
    return ((this.#forbidden.get(group)?.get(topic) ?? 0) & FORBIDDEN_READ) !== 0;
  }

  apply(change: GroupChange): void {
    this.#table.set(change.group.groupName, change.group);
    this.#dataVersion = nextDataVersion(this.#dataVersion, change.atMs);
  }

  restore(snapshot: SubscriptionGroupsSnapshot): void {
    for (const group of snapshot.groups) this.#table.set(group.groupName, group);
    this.#forbidden = snapshot.forbidden;
    this.#dataVersion = snapshot.dataVersion;
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
