/**
 * Who serves which topic, as told by the brokers (RocketMQ: RouteInfoManager). A pure table: it changes only
 * through the methods below, time comes in as `nowMs` (monotonic), connections as opaque ids, and whoever
 * calls closes sockets and sends answers.
 *
 * Four views of one truth, kept in step:
 *   brokers    broker name → cluster, and broker id → address
 *   clusters   cluster → broker names
 *   lives      (cluster, address) → connection, data version, last sign of life
 *   queues     topic → broker name → QueueData
 * A broker name exists while it has an address; a topic while a broker serves it; every address in `brokers`
 * has an entry in `lives`, and nothing else has one.
 *
 * A broker an administrator has wiped shows its queues without write permission until it is given back, or until the
 * broker is gone; what the broker registered meanwhile is kept.
 */
import { assert } from "@orbitmq/host";
import {
  type BrokerData,
  type ClusterInfo,
  type DataVersion,
  MASTER_ID,
  Perm,
  type QueueData,
  sameDataVersion,
  type TopicConfig,
  type TopicRouteData,
} from "@orbitmq/wire";

/** What one REGISTER_BROKER says. */
export interface BrokerRegistration {
  readonly clusterName: string;
  readonly brokerName: string;
  readonly brokerId: number;
  readonly brokerAddr: string;
  readonly haServerAddr: string | undefined;
  readonly zoneName: string | undefined;
  /** How long the broker may be silent; absent: the table's default. */
  readonly heartbeatTimeoutMs: number | undefined;
  /** `undefined` from brokers that do not know it (4.x). */
  readonly enableActingMaster: boolean | undefined;
  readonly topics: ReadonlyMap<string, TopicConfig>;
  readonly dataVersion: DataVersion;
  readonly connectionId: number;
}

export type RegisterOutcome =
  | {
      readonly kind: "registered";
      readonly masterAddr?: string;
      readonly haServerAddr?: string;
      readonly isNew: boolean;
      /** The address that held this broker id until now. */
      readonly replacedAddr?: string;
      readonly topicsLeftOut: number;
    }
  /** Another address holds this broker id with a newer state; the caller hears success and changed nothing. */
  | { readonly kind: "outdated"; readonly liveAddr: string }
  /** A broker not known yet sent one topic only; it must send its whole table. */
  | { readonly kind: "partial" }
  /** The table is full. */
  | { readonly kind: "full" };

export interface BrokerIdentity {
  readonly clusterName: string;
  readonly brokerName: string;
  readonly brokerAddr: string;
}

export interface RouteTableLimits {
  readonly brokerChannelExpiredTime: number;
  readonly brokersMax: number;
  readonly topicsMax: number;
}

interface Broker {
  readonly name: string;
  readonly cluster: string;
  readonly addrs: Map<number, string>;
  enableActingMaster: boolean;
  zoneName: string | undefined;
  isWiped: boolean;
}

interface Live {
  readonly clusterName: string;
  readonly brokerName: string;
  readonly brokerAddr: string;
  lastSeenMs: number;
  timeoutMs: number;
  dataVersion: DataVersion;
  connectionId: number;
  haServerAddr: string | undefined;
}

/** The length keeps two parts of any content apart. */
const liveKey = (clusterName: string, brokerAddr: string): string =>
  `${clusterName.length}:${clusterName}${brokerAddr}`;

export class RouteTable {
  readonly #limits: RouteTableLimits;
  readonly #brokers = new Map<string, Broker>();
  readonly #clusters = new Map<string, Set<string>>();
  readonly #lives = new Map<string, Live>();
  readonly #queues = new Map<string, Map<string, QueueData>>();

  constructor(limits: RouteTableLimits) {
    this.#limits = limits;
  }

  get topicCount(): number {
    return this.#queues.size;
  }

  get clusterCount(): number {
    return this.#clusters.size;
  }

  get brokerCount(): number {
    return this.#lives.size;
  }

  register(request: BrokerRegistration, nowMs: number): RegisterOutcome {
    const key = liveKey(request.clusterName, request.brokerAddr);
    let broker = this.#brokers.get(request.brokerName);
    if (broker !== undefined) {
      const liveAddr = broker.addrs.get(request.brokerId);
      const live = liveAddr === undefined ? undefined : this.#lives.get(liveKey(broker.cluster, liveAddr));
      if (
        live !== undefined &&
        live.brokerAddr !== request.brokerAddr &&
        live.dataVersion.stateVersion > request.dataVersion.stateVersion
      ) {
        return { kind: "outdated", liveAddr: live.brokerAddr };
      }
    }
    const isNewId = broker?.addrs.has(request.brokerId) !== true;
    if (isNewId && request.topics.size === 1) return { kind: "partial" };
    if (!this.#lives.has(key) && this.#lives.size >= this.#limits.brokersMax) return { kind: "full" };
    // A name that moves to another cluster, or an address that moves to another name, leaves its old place.
    if (broker !== undefined && broker.cluster !== request.clusterName) {
      for (const addr of [...broker.addrs.values()]) this.#remove(liveKey(broker.cluster, addr));
      broker = undefined;
    }
    const previous = this.#lives.get(key);
    if (previous !== undefined && previous.brokerName !== request.brokerName) this.#remove(key);

    if (broker === undefined) broker = this.#addBroker(request);
    broker.enableActingMaster = request.enableActingMaster === true;
    broker.zoneName = request.zoneName;
    let replacedAddr: string | undefined;
    for (const [id, addr] of broker.addrs) {
      if (addr === request.brokerAddr && id !== request.brokerId) broker.addrs.delete(id);
      if (id === request.brokerId && addr !== request.brokerAddr) replacedAddr = addr;
    }
    if (replacedAddr !== undefined) this.#lives.delete(liveKey(broker.cluster, replacedAddr));
    broker.addrs.set(request.brokerId, request.brokerAddr);

    const known = this.#lives.get(key);
    const changed = known === undefined || !sameDataVersion(known.dataVersion, request.dataVersion);
    const topicsLeftOut = this.#takesTopicsFrom(broker, request)
      ? this.#putTopics(broker, request, changed || isNewId)
      : 0;
    this.#lives.set(key, {
      clusterName: request.clusterName,
      brokerName: request.brokerName,
      brokerAddr: request.brokerAddr,
      lastSeenMs: nowMs,
      timeoutMs: request.heartbeatTimeoutMs ?? this.#limits.brokerChannelExpiredTime,
      dataVersion: request.dataVersion,
      connectionId: request.connectionId,
      haServerAddr: request.haServerAddr,
    });
    return {
      kind: "registered",
      ...this.#masterFor(broker, request),
      ...(replacedAddr === undefined ? {} : { replacedAddr }),
      isNew: known === undefined,
      topicsLeftOut,
    };
  }

  /** Removes one broker address; unknown ones are fine. Returns whether there was something to remove. */
  unregister(identity: BrokerIdentity): boolean {
    return this.#remove(liveKey(identity.clusterName, identity.brokerAddr));
  }

  /** A sign of life from a broker that has nothing new to tell; false when the broker is not known. */
  heartbeat(clusterName: string, brokerAddr: string, nowMs: number): boolean {
    const live = this.#lives.get(liveKey(clusterName, brokerAddr));
    if (live === undefined) return false;
    live.lastSeenMs = nowMs;
    return true;
  }

  /** Removes every broker whose last registration came over this connection. */
  connectionClosed(connectionId: number): BrokerIdentity[] {
    return this.#removeWhere((live) => live.connectionId === connectionId);
  }

  /** Removes every broker that was silent for longer than its limit, with the connection it came over. */
  expire(nowMs: number): (BrokerIdentity & { readonly connectionId: number })[] {
    return this.#removeWhere((live) => live.lastSeenMs + live.timeoutMs < nowMs);
  }

  /** The data version of a broker's last registration. */
  dataVersion(clusterName: string, brokerAddr: string): DataVersion | undefined {
    return this.#lives.get(liveKey(clusterName, brokerAddr))?.dataVersion;
  }

  /** `undefined` when no broker serves `topic`. */
  route(topic: string): TopicRouteData | undefined {
    const queues = this.#queues.get(topic);
    if (queues === undefined) return undefined;
    const brokerDatas: BrokerData[] = [];
    const queueDatas: QueueData[] = [];
    for (const [brokerName, queue] of queues) {
      const broker = this.#brokers.get(brokerName);
      assert(broker !== undefined, "a topic is served by a broker that is not known");
      brokerDatas.push(brokerData(broker));
      queueDatas.push(broker.isWiped ? { ...queue, perm: queue.perm & ~Perm.WRITE } : queue);
    }
    return { queueDatas, brokerDatas, filterServerTable: new Map() };
  }

  /** Takes write permission from all topics of a broker, or gives it back; returns how many topics that are. */
  setWiped(brokerName: string, isWiped: boolean): number {
    const broker = this.#brokers.get(brokerName);
    if (broker === undefined) return 0;
    broker.isWiped = isWiped;
    let count = 0;
    for (const queues of this.#queues.values()) if (queues.has(brokerName)) count++;
    return count;
  }

  /** Forgets a topic, of one cluster only when one is named, until a broker registers it anew. */
  deleteTopic(topic: string, clusterName?: string): void {
    const queues = this.#queues.get(topic);
    if (queues === undefined) return;
    for (const brokerName of [...queues.keys()]) {
      if (clusterName === undefined || this.#brokers.get(brokerName)?.cluster === clusterName)
        queues.delete(brokerName);
    }
    if (queues.size === 0) this.#queues.delete(topic);
  }

  /** Adds queues of a topic by hand. Returns the broker that is not known; then nothing is changed. */
  registerTopic(topic: string, queueDatas: readonly QueueData[]): string | undefined {
    const stranger = queueDatas.find(({ brokerName }) => !this.#brokers.has(brokerName));
    if (stranger !== undefined) return stranger.brokerName;
    if (queueDatas.length === 0) return undefined;
    let queues = this.#queues.get(topic);
    if (queues === undefined) {
      if (this.#queues.size >= this.#limits.topicsMax) return "";
      queues = new Map();
      this.#queues.set(topic, queues);
    }
    for (const queue of queueDatas) queues.set(queue.brokerName, queue);
    return undefined;
  }

  clusterInfo(): ClusterInfo {
    const brokerAddrTable = new Map<string, BrokerData>();
    for (const [name, broker] of this.#brokers) brokerAddrTable.set(name, brokerData(broker));
    const clusterAddrTable = new Map<string, string[]>();
    for (const [name, brokers] of this.#clusters) clusterAddrTable.set(name, [...brokers]);
    return { brokerAddrTable, clusterAddrTable };
  }

  topics(): string[] {
    return [...this.#queues.keys()];
  }

  /** Topics whose first broker registered them with flags (TopicSysFlag) that `wanted` accepts. */
  topicsWithFlags(wanted: (topicSysFlag: number) => boolean): string[] {
    const topics: string[] = [];
    for (const [topic, queues] of this.#queues) {
      for (const { topicSysFlag } of queues.values()) {
        if (wanted(topicSysFlag)) topics.push(topic);
        break;
      }
    }
    return topics;
  }

  /** Topics that a broker of the cluster serves. */
  topicsOfCluster(clusterName: string): string[] {
    const names = this.#clusters.get(clusterName);
    if (names === undefined) return [];
    const topics: string[] = [];
    for (const [topic, queues] of this.#queues) {
      for (const brokerName of queues.keys()) {
        if (!names.has(brokerName)) continue;
        topics.push(topic);
        break;
      }
    }
    return topics;
  }

  /** The addresses of a broker name; empty when nobody knows it. */
  addressesOf(brokerName: string): ReadonlyMap<number, string> {
    return new Map(this.#brokers.get(brokerName)?.addrs);
  }

  #addBroker(request: BrokerRegistration): Broker {
    const broker: Broker = {
      name: request.brokerName,
      cluster: request.clusterName,
      addrs: new Map(),
      enableActingMaster: false,
      zoneName: undefined,
      isWiped: false,
    };
    this.#brokers.set(broker.name, broker);
    const names = this.#clusters.get(broker.cluster);
    if (names === undefined) this.#clusters.set(broker.cluster, new Set([broker.name]));
    else names.add(broker.name);
    return broker;
  }

  /** Topics come from the master, or from the lowest slave of a broker that takes part in acting-master. */
  #takesTopicsFrom(broker: Broker, request: BrokerRegistration): boolean {
    if (request.brokerId === MASTER_ID) return true;
    return request.enableActingMaster !== undefined && request.brokerId === Math.min(...broker.addrs.keys());
  }

  /** Returns how many topics found no room. */
  #putTopics(broker: Broker, request: BrokerRegistration, all: boolean): number {
    const readOnly = request.brokerId !== MASTER_ID && broker.enableActingMaster;
    let leftOut = 0;
    for (const [topic, config] of request.topics) {
      let queues = this.#queues.get(topic);
      if (!all && queues?.has(broker.name) === true) continue;
      if (queues === undefined) {
        if (this.#queues.size >= this.#limits.topicsMax) {
          leftOut++;
          continue;
        }
        queues = new Map();
        this.#queues.set(topic, queues);
      }
      queues.set(broker.name, {
        brokerName: broker.name,
        perm: readOnly ? config.perm & ~Perm.WRITE : config.perm,
        readQueueNums: config.readQueueNums,
        writeQueueNums: config.writeQueueNums,
        topicSysFlag: config.topicSysFlag,
      });
    }
    return leftOut;
  }

  /** What a slave is told about its master. */
  #masterFor(
    broker: Broker,
    request: BrokerRegistration,
  ): { readonly masterAddr?: string; readonly haServerAddr?: string } {
    const masterAddr = broker.addrs.get(MASTER_ID);
    if (request.brokerId === MASTER_ID || masterAddr === undefined) return {};
    const haServerAddr = this.#lives.get(liveKey(broker.cluster, masterAddr))?.haServerAddr;
    return haServerAddr === undefined ? { masterAddr } : { masterAddr, haServerAddr };
  }

  #removeWhere(doomed: (live: Live) => boolean): Live[] {
    const found = [...this.#lives.values()].filter(doomed);
    for (const live of found) this.#remove(liveKey(live.clusterName, live.brokerAddr));
    return found;
  }

  #remove(key: string): boolean {
    const live = this.#lives.get(key);
    if (live === undefined) return false;
    this.#lives.delete(key);
    const broker = this.#brokers.get(live.brokerName);
    assert(broker !== undefined, "a live broker has no entry in the broker table");
    for (const [id, addr] of broker.addrs) if (addr === live.brokerAddr) broker.addrs.delete(id);
    if (broker.addrs.size === 0) this.#removeName(broker);
    else if (broker.enableActingMaster && !broker.addrs.has(MASTER_ID)) this.#wipeWritePerm(broker);
    return true;
  }

  #removeName(broker: Broker): void {
    this.#brokers.delete(broker.name);
    const names = this.#clusters.get(broker.cluster);
    assert(names !== undefined, "a broker belongs to a cluster that is not known");
    names.delete(broker.name);
    if (names.size === 0) this.#clusters.delete(broker.cluster);
    for (const [topic, queues] of this.#queues) {
      if (queues.delete(broker.name) && queues.size === 0) this.#queues.delete(topic);
    }
  }

  /** Without a master nobody can write to the broker's queues. */
  #wipeWritePerm(broker: Broker): void {
    for (const queues of this.#queues.values()) {
      const queue = queues.get(broker.name);
      if (queue !== undefined) queues.set(broker.name, { ...queue, perm: queue.perm & ~Perm.WRITE });
    }
  }
}

function brokerData(broker: Broker): BrokerData {
  return {
    cluster: broker.cluster,
    brokerName: broker.name,
    brokerAddrs: new Map(broker.addrs),
    enableActingMaster: broker.enableActingMaster,
    zoneName: broker.zoneName,
  };
}
