/** Which servers an admin call is for: masters by name, address, cluster or topic, and the NameServers. */
import {
  type BrokerData,
  type ClusterInfo,
  MASTER_ID,
  parseClusterInfo,
  parseTopicList,
  RequestCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { OrbitError } from "../errors/errors.ts";
import type { BrokerOverview, BrokerTarget, ClusterOverview } from "./admin-types.ts";

/** A server to ask: a master by its broker's name, or a NameServer by its address. */
export interface Server {
  readonly name: string;
  /** `host:port`; absent: no NameServer knows one. */
  readonly address: string | undefined;
}

export async function clusterInfo(instance: ClientInstance): Promise<ClusterInfo> {
  instance.checkRunning();
  const request = { code: RequestCode.GET_BROKER_CLUSTER_INFO };
  const info = await instance.nameServers.ask(request, ({ body }) => parseClusterInfo(body));
  return info ?? { brokerAddrTable: new Map(), clusterAddrTable: new Map() };
}

export async function clusterOverview(instance: ClientInstance): Promise<ClusterOverview> {
  const { brokerAddrTable, clusterAddrTable } = await clusterInfo(instance);
  const clusters = [...clusterAddrTable].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    clusters: Object.fromEntries(clusters.map(([name, brokers]) => [name, [...brokers].sort()])),
    brokers: [...brokerAddrTable.values()].map(overviewOf).sort(byBrokerName),
  };
}

export async function topicNames(instance: ClientInstance): Promise<string[]> {
  instance.checkRunning();
  const request = { code: RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER };
  const list = await instance.nameServers.ask(request, ({ body }) => parseTopicList(body));
  return [...(list?.topicList ?? [])].sort();
}

/**
 * The masters of a cluster (default the only one there is), or one broker. Rejects with INVALID_ARGUMENT or
 * BROKER_UNKNOWN when nothing is named.
 */
export async function mastersOf(instance: ClientInstance, target: BrokerTarget): Promise<Server[]> {
  instance.checkRunning();
  const { cluster, broker } = target;
  if (cluster !== undefined && broker !== undefined)
    throw new OrbitError("INVALID_ARGUMENT", "give a cluster or a broker, not both");
  const info = await clusterInfo(instance);
  if (broker !== undefined) return [oneOf(info, broker)];
  return [...brokersOf(info, cluster)].sort().map((name) => ({ name, address: masterAddress(info, name) }));
}

/** The masters of every cluster, or of those `target` names. */
export async function allMasters(instance: ClientInstance, target: BrokerTarget = {}): Promise<Server[]> {
  if (target.cluster !== undefined || target.broker !== undefined) return mastersOf(instance, target);
  const info = await clusterInfo(instance);
  return [...info.brokerAddrTable.keys()]
    .sort()
    .map((name) => ({ name, address: masterAddress(info, name) }));
}

/** One broker by name (its master) or by `host:port`. Rejects with BROKER_UNKNOWN or INVALID_ARGUMENT. */
export async function oneBroker(
  instance: ClientInstance,
  broker: string,
): Promise<Server & { address: string }> {
  return oneOf(await clusterInfo(instance), broker);
}

/** Brokers of a route that have a master, and those that have none. */
export function mastersOfRoute({ brokers }: { readonly brokers: readonly BrokerOverview[] }): Server[] {
  return brokers.map(({ brokerName, addresses }) => ({
    name: brokerName,
    address: addresses[String(MASTER_ID)],
  }));
}

export function nameServersOf(instance: ClientInstance): Server[] {
  instance.checkRunning();
  return instance.nameServers.addresses.map((address) => ({ name: address, address }));
}

export function overviewOf({ brokerName, cluster, brokerAddrs }: BrokerData): BrokerOverview {
  const addresses = [...brokerAddrs].sort(([a], [b]) => a - b);
  return { brokerName, cluster, addresses: Object.fromEntries(addresses) };
}

export function byBrokerName(a: { readonly brokerName: string }, b: { readonly brokerName: string }): number {
  return a.brokerName < b.brokerName ? -1 : a.brokerName > b.brokerName ? 1 : 0;
}

function oneOf(info: ClusterInfo, broker: string): Server & { address: string } {
  const address = masterAddress(info, broker);
  if (address !== undefined) return { name: broker, address };
  for (const { brokerName, brokerAddrs } of info.brokerAddrTable.values())
    for (const known of brokerAddrs.values())
      if (known === broker) return { name: brokerName, address: broker };
  // A broker that no NameServer knows may be asked by its address.
  if (/^[^:]+:\d+$|^\[.+\]:\d+$/.test(broker)) return { name: broker, address: broker };
  const message = `no NameServer knows a master of ${broker}`;
  throw new OrbitError("BROKER_UNKNOWN", message, { broker });
}

function masterAddress({ brokerAddrTable }: ClusterInfo, brokerName: string): string | undefined {
  return brokerAddrTable.get(brokerName)?.brokerAddrs.get(MASTER_ID);
}

function brokersOf({ clusterAddrTable }: ClusterInfo, cluster: string | undefined): readonly string[] {
  const known = [...clusterAddrTable.keys()].sort();
  const name = cluster ?? (known.length === 1 ? known[0] : undefined);
  const brokers = name === undefined ? undefined : clusterAddrTable.get(name);
  if (brokers !== undefined && brokers.length > 0) return brokers;
  if (known.length === 0) throw new OrbitError("BROKER_UNKNOWN", "no broker is registered with a NameServer");
  throw new OrbitError("INVALID_ARGUMENT", `name one of the clusters ${known.join(", ")}`);
}
