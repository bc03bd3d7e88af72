/**
 * Manages topics and groups and looks at clusters (RocketMQ: DefaultMQAdminExt, what `orbitmq` needs of it). Every call
 * asks anew; nothing is cached.
 */
import type { Host } from "@orbitmq/host";
import {
  type BrokerData,
  type ClusterInfo,
  cloneGroupOffsetRequestHeader,
  compareMessageQueues,
  getTopicStatsInfoRequestHeader,
  MASTER_ID,
  parseClusterInfo,
  parseResetOffsetBody,
  parseTopicList,
  parseTopicStatsTable,
  RequestCode,
  resetOffsetRequestHeader,
  updateAndCreateTopicRequestHeader,
} from "@orbitmq/wire";
import { ClientInstance } from "../connection/client-instance.ts";
import { DEFAULT_TOPIC } from "../connection/topic-queues.ts";
import { OrbitError } from "../errors/errors.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { checkGroup, checkTopic } from "../names/names.ts";
import type { ClientOptions, ClientState } from "../options/client-options.ts";
import { checkInteger } from "../options/option-checks.ts";
import type {
  BrokerOverview,
  CloneOffsetsOptions,
  ClusterOverview,
  CreatedTopic,
  CreateTopicOptions,
  GroupStatus,
  QueryMessageOptions,
  ResetOffset,
  TopicRoute,
  TopicStatus,
} from "./admin-types.ts";
import { findByKey, findByPlace } from "./find-messages.ts";
import { groupStatus } from "./group-status.ts";
import { type MessageTraceEvent, type MessageTraceOptions, messageTrace } from "./message-trace.ts";

const QUEUES_DEFAULT = 8;
const QUEUES_MAX = 65_535;
const PERM_DEFAULT = 6;
const QUERY_MAX_DEFAULT = 64;

export class Admin {
  readonly #instance: ClientInstance;

  /** Throws INVALID_ARGUMENT for an option out of range. */
  constructor(host: Host, options: ClientOptions = {}) {
    this.#instance = new ClientInstance(host, options);
  }

  get state(): ClientState {
    return this.#instance.state;
  }

  /** Resolves when a NameServer has answered; rejects with NAME_SERVER_UNREACHABLE after `startTimeoutMs`. */
  start(): Promise<void> {
    return this.#instance.start();
  }

  /**
   * Creates the topic, or changes it, on every master of a cluster or on one broker (17). Rejects with the first
   * broker's refusal; brokers asked before it have the topic then.
   */
  async createTopic(topic: string, options: CreateTopicOptions = {}): Promise<CreatedTopic> {
    this.#instance.checkRunning();
    checkTopic(topic);
    const queues = checkInteger(options, "queues", QUEUES_DEFAULT, 1, QUEUES_MAX);
    const perm = checkInteger(options, "perm", PERM_DEFAULT, 0, 7);
    const masters = mastersFor(await this.#clusterInfo(), options);
    for (const { address } of masters) {
      await this.#instance.ask(
        address,
        {
          code: RequestCode.UPDATE_AND_CREATE_TOPIC,
          header: (sink) =>
            updateAndCreateTopicRequestHeader.encode(
              {
                topic,
                defaultTopic: DEFAULT_TOPIC,
                readQueueNums: queues,
                writeQueueNums: queues,
                perm,
                topicFilterType: "SINGLE_TAG",
                topicSysFlag: 0,
                order: false,
              },
              sink,
            ),
        },
        () => undefined,
      );
    }
    return { topic, queues, perm, brokers: masters.map(({ brokerName }) => brokerName) };
  }

  /** Names of all topics, sorted (206). */
  async topicList(): Promise<string[]> {
    this.#instance.checkRunning();
    const request = { code: RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER };
    const list = await this.#instance.nameServers.ask(request, ({ body }) => parseTopicList(body));
    return [...(list?.topicList ?? [])].sort();
  }

  /** Where a topic's queues are (105). Rejects with TOPIC_ROUTE_NOT_FOUND. */
  async topicRoute(topic: string): Promise<TopicRoute> {
    this.#instance.checkRunning();
    checkTopic(topic);
    const route = await this.#instance.nameServers.route(topic);
    if (route === undefined) throw new OrbitError("TOPIC_ROUTE_NOT_FOUND", `no NameServer knows ${topic}`);
    const queues = route.queueDatas.map(({ brokerName, readQueueNums, writeQueueNums, perm }) => ({
      brokerName,
      readQueueNums,
      writeQueueNums,
      perm,
    }));
    return {
      topic,
      brokers: route.brokerDatas.map(overviewOf).sort(byBrokerName),
      queues: queues.sort(byBrokerName),
    };
  }

  /** Offsets of a topic's queues on all its masters (202), by broker and queue id. */
  async topicStatus(topic: string): Promise<TopicStatus> {
    const { brokers } = await this.topicRoute(topic);
    const tables = await Promise.all(
      brokers.map(async (broker) =>
        this.#instance.ask(
          masterOf(broker),
          {
            code: RequestCode.GET_TOPIC_STATS_INFO,
            header: (sink) => getTopicStatsInfoRequestHeader.encode({ topic }, sink),
          },
          ({ body }) => parseTopicStatsTable(body).offsets,
        ),
      ),
    );
    const queues = tables.flat().sort((a, b) => compareMessageQueues(a.queue, b.queue));
    return { topic, queues };
  }

  /** Messages of the topic with this key, on all its masters, oldest first (12); none is an empty list. */
  async queryMessage(
    topic: string,
    key: string,
    options: QueryMessageOptions = {},
  ): Promise<ReceivedMessage[]> {
    const max = checkInteger(options, "max", QUERY_MAX_DEFAULT, 1, QUEUES_MAX);
    return findByKey(this.#instance, await this.topicRoute(topic), key, { ...options, max }, false);
  }

  /**
   * One message, by its offset message id (33) or by the id its producer gave it (12). Rejects with
   * QUERY_NOT_FOUND.
   */
  async viewMessage(topic: string, msgId: string): Promise<ReceivedMessage> {
    const route = await this.topicRoute(topic);
    const message =
      (await findByPlace(this.#instance, route, msgId)) ??
      (await findByKey(this.#instance, route, msgId, {}, true)).find((each) => each.msgId === msgId);
    if (message === undefined) throw new OrbitError("QUERY_NOT_FOUND", `${topic} has no message ${msgId}`);
    return message;
  }

  /**
   * What clients with `trace` told of a message: sent, given to listeners, transaction ended, recalled; in the order in
   * which it happened. By the id its producer gave it, or by a key, which may be that of several messages. Nothing is an
   * empty list, also when there is no trace topic.
   */
  async messageTrace(idOrKey: string, options: MessageTraceOptions = {}): Promise<MessageTraceEvent[]> {
    this.#instance.checkRunning();
    const max = checkInteger(options, "max", QUERY_MAX_DEFAULT, 1, QUEUES_MAX);
    return messageTrace(this.#instance, idOrKey, { ...options, max }, (topic) => this.topicRoute(topic));
  }

  /**
   * Who is in a consumer group, what each member subscribes to and has in hand, and how far the group is (203, 208,
   * 307). A group nobody knows has no members and no queues.
   */
  async groupStatus(group: string): Promise<GroupStatus> {
    this.#instance.checkRunning();
    checkGroup(group);
    const info = await this.#clusterInfo();
    const masters = [...info.brokerAddrTable.values()]
      .map(({ brokerAddrs }) => brokerAddrs.get(MASTER_ID))
      .filter((address) => address !== undefined);
    return groupStatus(this.#instance, masters, group);
  }

  /**
   * Lets a group go on in a topic from the first message stored at or after a time, or from the "end" (222), back or
   * forward, whether it is online or not; members go on there at once. Rejects when a broker does not know the group.
   */
  async resetOffsets(group: string, topic: string, to: Date | "end"): Promise<ResetOffset[]> {
    checkGroup(group);
    const timestamp = to === "end" ? -1 : to.getTime();
    if (!Number.isSafeInteger(timestamp)) throw new OrbitError("INVALID_ARGUMENT", "that is no time");
    const { brokers } = await this.topicRoute(topic);
    const tables = await Promise.all(
      brokers.map((broker) =>
        this.#instance.ask(
          masterOf(broker),
          {
            code: RequestCode.INVOKE_BROKER_TO_RESET_OFFSET,
            header: (sink) =>
              resetOffsetRequestHeader.encode({ topic, group, timestamp, isForce: true }, sink),
          },
          ({ body }) => [...parseResetOffsetBody(body)].map(([queue, offset]) => ({ queue, offset })),
        ),
      ),
    );
    return tables.flat().sort((a, b) => compareMessageQueues(a.queue, b.queue));
  }

  /**
   * Lets `to` go on where `from` is, in every queue of a topic, on all its masters (314). Without `offline` only while
   * `from` has a member that subscribes to the topic. Rejects with the first broker's refusal; others may have done it.
   */
  async cloneOffsets({ from, to, topic, offline = true }: CloneOffsetsOptions): Promise<void> {
    for (const group of [from, to]) checkGroup(group);
    const { brokers } = await this.topicRoute(topic);
    for (const broker of brokers) {
      const header = { srcGroup: from, destGroup: to, topic, offline };
      await this.#instance.ask(
        masterOf(broker),
        {
          code: RequestCode.CLONE_GROUP_OFFSET,
          header: (sink) => cloneGroupOffsetRequestHeader.encode(header, sink),
        },
        () => undefined,
      );
    }
  }

  /** Every cluster and broker the NameServer knows (106). */
  async clusterInfo(): Promise<ClusterOverview> {
    this.#instance.checkRunning();
    const { brokerAddrTable, clusterAddrTable } = await this.#clusterInfo();
    const clusters = [...clusterAddrTable].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      clusters: Object.fromEntries(clusters.map(([name, brokers]) => [name, [...brokers].sort()])),
      brokers: [...brokerAddrTable.values()].map(overviewOf).sort(byBrokerName),
    };
  }

  /** Ends every connection. Twice is once. Never rejects. */
  async shutdown(): Promise<void> {
    this.#instance.beginStop();
    await this.#instance.close(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #clusterInfo(): Promise<ClusterInfo> {
    const request = { code: RequestCode.GET_BROKER_CLUSTER_INFO };
    const info = await this.#instance.nameServers.ask(request, ({ body }) => parseClusterInfo(body));
    return info ?? { brokerAddrTable: new Map(), clusterAddrTable: new Map() };
  }
}

function overviewOf({ brokerName, cluster, brokerAddrs }: BrokerData): BrokerOverview {
  const addresses = [...brokerAddrs].sort(([a], [b]) => a - b);
  return { brokerName, cluster, addresses: Object.fromEntries(addresses) };
}

/** Throws BROKER_UNKNOWN. */
function masterOf({ brokerName, addresses }: BrokerOverview): string {
  const address = addresses[String(MASTER_ID)];
  if (address === undefined)
    throw new OrbitError("BROKER_UNKNOWN", `${brokerName} has no master`, { broker: brokerName });
  return address;
}

function byBrokerName(a: { readonly brokerName: string }, b: { readonly brokerName: string }): number {
  return a.brokerName < b.brokerName ? -1 : a.brokerName > b.brokerName ? 1 : 0;
}

/** Throws INVALID_ARGUMENT or BROKER_UNKNOWN when the options name no master. */
function mastersFor(
  info: ClusterInfo,
  { cluster, broker }: CreateTopicOptions,
): { brokerName: string; address: string }[] {
  if (cluster !== undefined && broker !== undefined) {
    throw new OrbitError("INVALID_ARGUMENT", "give a cluster or a broker, not both");
  }
  const names = broker !== undefined ? [broker] : brokersOf(info, cluster);
  return [...names].sort().map((brokerName) => {
    const address = info.brokerAddrTable.get(brokerName)?.brokerAddrs.get(MASTER_ID);
    if (address === undefined) {
      throw new OrbitError("BROKER_UNKNOWN", `no NameServer knows a master of ${brokerName}`, {
        broker: brokerName,
      });
    }
    return { brokerName, address };
  });
}

function brokersOf({ clusterAddrTable }: ClusterInfo, cluster: string | undefined): readonly string[] {
  const known = [...clusterAddrTable.keys()].sort();
  const name = cluster ?? (known.length === 1 ? known[0] : undefined);
  const brokers = name === undefined ? undefined : clusterAddrTable.get(name);
  if (brokers !== undefined && brokers.length > 0) return brokers;
  if (known.length === 0) throw new OrbitError("BROKER_UNKNOWN", "no broker is registered with a NameServer");
  throw new OrbitError("INVALID_ARGUMENT", `name one of the clusters ${known.join(", ")}`);
}
