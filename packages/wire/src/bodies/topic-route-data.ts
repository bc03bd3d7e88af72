/**
 * Where a topic's queues are (RocketMQ: TopicRouteData, BrokerData, QueueData):
 *
 *   {"brokerDatas":[BrokerData],"filterServerTable":{},"orderTopicConf"?,"queueDatas":[QueueData],
 *    "topicQueueMappingByBroker"?}
 *   BrokerData  {"brokerAddrs":{0:"host:port"},"brokerName","cluster","enableActingMaster","zoneName"?}
 *   QueueData   {"brokerName","perm","readQueueNums","topicSysFlag","writeQueueNums"}
 */
import { encodeFastjson } from "../json/fastjson.ts";
import { type JsonObject, parseJsonObject } from "../json/json-value.ts";

/** The broker id of a master. */
export const MASTER_ID = 0;

export interface QueueData {
  readonly brokerName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  /** Perm bits. */
  readonly perm: number;
  readonly topicSysFlag: number;
}

export interface BrokerData {
  readonly cluster: string;
  readonly brokerName: string;
  /** Broker id → `host:port`; {@link MASTER_ID} is the master. */
  readonly brokerAddrs: ReadonlyMap<number, string>;
  readonly enableActingMaster: boolean;
  readonly zoneName?: string | undefined;
}

export interface TopicRouteData {
  /** `broker-a:4;broker-b:4` for ordered topics. */
  readonly orderTopicConf?: string | undefined;
  readonly queueDatas: readonly QueueData[];
  readonly brokerDatas: readonly BrokerData[];
  /** Broker address → filter servers; empty since 4.x. */
  readonly filterServerTable: ReadonlyMap<string, readonly string[]>;
  /** Static topics' mapping, kept as it came. */
  readonly topicQueueMappingByBroker?: unknown;
}

export function brokerDataToJson(value: BrokerData): object {
  return { ...value };
}

export function brokerDataFromJson(json: JsonObject): BrokerData {
  return {
    cluster: json.optionalString("cluster") ?? "",
    brokerName: json.string("brokerName"),
    brokerAddrs: json.integerKeyedStrings("brokerAddrs"),
    enableActingMaster: json.boolean("enableActingMaster", false),
    zoneName: json.optionalString("zoneName"),
  };
}

/** `quoteKeys`: standard JSON, for clients that take nothing else (see get-route-info); non-ASCII is escaped then. */
export function encodeTopicRouteData(value: TopicRouteData, quoteKeys: boolean): Uint8Array {
  return encodeFastjson({ ...value }, { quoteIntegerKeys: quoteKeys, asciiOnly: quoteKeys });
}

/** Throws WireError JSON_MALFORMED. */
export function parseTopicRouteData(bytes: Uint8Array): TopicRouteData {
  const body = parseJsonObject(bytes, "TopicRouteData");
  const filterServers = body.object("filterServerTable");
  return {
    orderTopicConf: body.optionalString("orderTopicConf"),
    queueDatas: body.objectList("queueDatas").map((queue) => ({
      brokerName: queue.string("brokerName"),
      readQueueNums: queue.integer("readQueueNums"),
      writeQueueNums: queue.integer("writeQueueNums"),
      perm: queue.integer("perm"),
      topicSysFlag: queue.integer("topicSysFlag", 0),
    })),
    brokerDatas: body.objectList("brokerDatas").map(brokerDataFromJson),
    filterServerTable: new Map(
      filterServers.keys().map((address) => [address, filterServers.strings(address)]),
    ),
    topicQueueMappingByBroker: body.raw("topicQueueMappingByBroker"),
  };
}
