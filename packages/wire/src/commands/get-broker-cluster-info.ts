/**
 * GET_BROKER_CLUSTER_INFO (106): every broker and cluster a NameServer knows (RocketMQ: ClusterInfo).
 *
 *   request   nothing
 *   body      {"brokerAddrTable":{"<broker>":BrokerData},"clusterAddrTable":{"<cluster>":["<broker>"]}}
 */

import { type BrokerData, brokerDataFromJson, brokerDataToJson } from "../bodies/topic-route-data.ts";
import { encodeFastjson } from "../json/fastjson.ts";
import { parseJsonObject } from "../json/json-value.ts";

export interface ClusterInfo {
  readonly brokerAddrTable: ReadonlyMap<string, BrokerData>;
  /** Cluster name → names of its brokers. */
  readonly clusterAddrTable: ReadonlyMap<string, readonly string[]>;
}

/** Broker ids are bare integer keys, as RocketMQ writes them here for every client. */
export function encodeClusterInfo(value: ClusterInfo): Uint8Array {
  const brokerAddrTable = new Map<string, unknown>();
  for (const [name, broker] of value.brokerAddrTable) brokerAddrTable.set(name, brokerDataToJson(broker));
  return encodeFastjson({ brokerAddrTable, clusterAddrTable: value.clusterAddrTable });
}

/** Throws WireError JSON_MALFORMED. */
export function parseClusterInfo(bytes: Uint8Array): ClusterInfo {
  const body = parseJsonObject(bytes, "ClusterInfo");
  const brokerAddrTable = new Map<string, BrokerData>();
  for (const [name, broker] of body.object("brokerAddrTable").objects()) {
    brokerAddrTable.set(name, brokerDataFromJson(broker));
  }
  const clusterAddrTable = new Map<string, string[]>();
  const clusters = body.object("clusterAddrTable");
  for (const name of clusters.keys()) clusterAddrTable.set(name, clusters.strings(name));
  return { brokerAddrTable, clusterAddrTable };
}
