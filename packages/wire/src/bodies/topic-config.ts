/**
 * A topic as a broker keeps it (RocketMQ: TopicConfig) and the table of all of them, which brokers register
 * and answer 21 with (RocketMQ: TopicConfigSerializeWrapper, TopicConfigAndMappingSerializeWrapper).
 */

import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";
import { Perm } from "../tables/perm.ts";
import { type DataVersion, dataVersionFromJson } from "./data-version.ts";

export interface TopicConfig {
  readonly topicName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  /** Perm bits. */
  readonly perm: number;
  readonly topicFilterType: "SINGLE_TAG" | "MULTI_TAG";
  /** TopicSysFlag bits. */
  readonly topicSysFlag: number;
  readonly order: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

/** RocketMQ's defaults: 16 read and write queues, perm 6, SINGLE_TAG. */
export function newTopicConfig(topicName: string, overrides: Partial<TopicConfig> = {}): TopicConfig {
  return {
    readQueueNums: 16,
    writeQueueNums: 16,
    perm: Perm.READ_WRITE,
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: 0,
    order: false,
    attributes: {},
    ...overrides,
    topicName,
  };
}

/** `name` is used when the object does not carry its own. */
export function topicConfigFromJson(json: JsonObject, name?: string): TopicConfig {
  return {
    topicName: json.optionalString("topicName") ?? name ?? json.string("topicName"),
    readQueueNums: json.integer("readQueueNums", 16),
    writeQueueNums: json.integer("writeQueueNums", 16),
    perm: json.integer("perm", Perm.READ_WRITE),
    topicFilterType: json.optionalString("topicFilterType") === "MULTI_TAG" ? "MULTI_TAG" : "SINGLE_TAG",
    topicSysFlag: json.integer("topicSysFlag", 0),
    order: json.boolean("order", false),
    attributes: Object.fromEntries(json.stringMap("attributes")),
  };
}

export interface TopicConfigSerializeWrapper {
  readonly topicConfigTable: ReadonlyMap<string, TopicConfig>;
  readonly dataVersion: DataVersion;
  /** Static topics' mappings, kept as they came; `undefined` when the sender does not know them. */
  readonly mappingDataVersion?: DataVersion | undefined;
  readonly topicQueueMappingInfoMap?: unknown;
  readonly topicQueueMappingDetailMap?: unknown;
}

export function topicConfigSerializeWrapperToJson(value: TopicConfigSerializeWrapper): object {
  return {
    dataVersion: value.dataVersion,
    mappingDataVersion: value.mappingDataVersion ?? { counter: 0, stateVersion: 0, timestamp: 0 },
    topicConfigTable: value.topicConfigTable,
    topicQueueMappingDetailMap: value.topicQueueMappingDetailMap ?? {},
    topicQueueMappingInfoMap: value.topicQueueMappingInfoMap ?? {},
  };
}

export function topicConfigSerializeWrapperFromJson(json: JsonObject): TopicConfigSerializeWrapper {
  const topicConfigTable = new Map<string, TopicConfig>();
  for (const [name, config] of json.object("topicConfigTable").objects()) {
    topicConfigTable.set(name, topicConfigFromJson(config, name));
  }
  const mapping = json.optionalObject("mappingDataVersion");
  return {
    topicConfigTable,
    dataVersion: dataVersionFromJson(json.object("dataVersion")),
    mappingDataVersion: mapping && dataVersionFromJson(mapping),
    topicQueueMappingInfoMap: json.raw("topicQueueMappingInfoMap"),
    topicQueueMappingDetailMap: json.raw("topicQueueMappingDetailMap"),
  };
}

export function encodeTopicConfigSerializeWrapper(value: TopicConfigSerializeWrapper): Uint8Array {
  return encodeFastjson(topicConfigSerializeWrapperToJson(value));
}

/** Throws WireError JSON_MALFORMED. */
export function parseTopicConfigSerializeWrapper(bytes: Uint8Array): TopicConfigSerializeWrapper {
  return topicConfigSerializeWrapperFromJson(parseJsonObject(bytes, "TopicConfigSerializeWrapper"));
}
