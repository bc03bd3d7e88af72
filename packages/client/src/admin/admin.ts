/**
 * Manages topics, groups, brokers and NameServers and looks at clusters (RocketMQ: DefaultMQAdminExt). Every call asks
 * anew; nothing is cached.
 *
 * Where several servers are asked, each is asked whatever the others say. What only looks comes with `failures`, one
 * for each server that did not answer, and rejects when none did. What changes something rejects when one server
 * failed: the OrbitError's `failures` and `done` tell who failed and who did it. Brokers are named by `broker` (a name,
 * then its master, or `host:port`) or `cluster`. Numbers in brackets are RocketMQ's request codes.
 */
import type { Host } from "@orbitmq/host";
import type {
  ConsumeMessageDirectlyResult,
  ConsumeQueueView,
  HaStatus,
  MessageRequestModeSetting,
} from "@orbitmq/wire";
import { ClientInstance } from "../connection/client-instance.ts";
import { OrbitError } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import { checkGroup } from "../names/names.ts";
import type { ClientOptions, ClientState } from "../options/client-options.ts";
import { checkInteger } from "../options/option-checks.ts";
import type {
  BrokerTarget,
  ClusterOverview,
  CreatedTopic,
  CreateTopicOptions,
  GroupStatus,
  QueryMessageOptions,
  TopicRoute,
  TopicStatus,
} from "./admin-types.ts";
import * as brokers from "./brokers.ts";
import { type ConsumerSubscription, consumerSubscription } from "./consumer-subscription.ts";
import * as consumers from "./consumers.ts";
import { type DeleteGroupOptions, deleteGroups } from "./delete-groups.ts";
import { type DeletedTopic, deleteTopic, deleteTopics } from "./delete-topics.ts";
import { findByKey, findByPlace } from "./find-messages.ts";
import type { GroupSettings } from "./group-settings.ts";
import { groupStatus } from "./group-status.ts";
import * as groups from "./groups.ts";
import { type MessageTraceEvent, type MessageTraceOptions, messageTrace } from "./message-trace.ts";
import * as messages from "./messages.ts";
import * as nameServers from "./name-servers.ts";
import * as offsets from "./offsets.ts";
import * as producers from "./producers.ts";
import { allMasters, clusterOverview, oneBroker, topicNames } from "./servers.ts";
import * as topics from "./topics.ts";
import { where } from "./where/where.ts";
import type { WhereQuery, WhereResult } from "./where/where-types.ts";

const QUERY_MAX_DEFAULT = 64;
const QUERY_MAX = 65_535;

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

  /** Ends every connection. Twice is once. Never rejects. */
  async shutdown(): Promise<void> {
    this.#instance.beginStop();
    await this.#instance.close(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  /** Every cluster and broker the NameServer knows (106). */
  clusterInfo(): Promise<ClusterOverview> {
    return clusterOverview(this.#instance);
  }

  /** Creates the topic, or changes it, on every master of a cluster or on one broker (17). */
  createTopic(topic: string, options: CreateTopicOptions = {}): Promise<CreatedTopic> {
    return topics.createTopic(this.#instance, topic, options);
  }

  /** Several topics at once, all alike (18); brokers of RocketMQ from 5.3 on. */
  createTopics(names: readonly string[], options: CreateTopicOptions = {}): Promise<readonly CreatedTopic[]> {
    return topics.createTopics(this.#instance, names, options);
  }

  /**
   * Forgets a topic with its messages and offsets: on every master of the cluster (215), then on the NameServers (216);
   * of one broker only when one is named.
   */
  deleteTopic(topic: string, target: BrokerTarget = {}): Promise<DeletedTopic> {
    return deleteTopic(this.#instance, topic, target);
  }

  /** Several topics at once (5002, 216); brokers that do not know it (RocketMQ's up to 5.5) do one after the other. */
  deleteTopics(names: readonly string[], target: BrokerTarget = {}): Promise<readonly DeletedTopic[]> {
    return deleteTopics(this.#instance, names, target);
  }

  /** Names of all topics, sorted (206), or of those of one cluster (224). */
  topicList({ cluster }: { readonly cluster?: string | undefined } = {}): Promise<string[]> {
    return cluster === undefined
      ? topicNames(this.#instance)
      : topics.topicsOfCluster(this.#instance, cluster);
  }

  /** Topics that brokers keep for themselves, sorted (305). */
  systemTopics(target: BrokerTarget = {}): Promise<string[]> {
    return topics.systemTopics(this.#instance, target);
  }

  /** Where a topic's queues are (105). Rejects with TOPIC_ROUTE_NOT_FOUND. */
  topicRoute(topic: string): Promise<TopicRoute> {
    return topics.topicRoute(this.#instance, topic);
  }

  /** Offsets of a topic's queues on all its masters (202), by broker and queue id. */
  topicStatus(topic: string): Promise<TopicStatus> {
    return topics.topicStatus(this.#instance, topic);
  }

  /** How a topic is set up on each of its masters (351); brokers of RocketMQ from 5.0 on. */
  topicSettings(topic: string): ReturnType<typeof topics.topicSettings> {
    return topics.topicSettings(this.#instance, topic);
  }

  /** Every topic of one broker, system topics too (21). */
  async brokerTopics(broker: string): Promise<topics.TopicSettings[]> {
    return topics.brokerTopics(this.#instance, await oneBroker(this.#instance, broker));
  }

  /** Groups that consume a topic, online or with offsets, sorted (300). */
  groupsOfTopic(topic: string): ReturnType<typeof topics.groupsOfTopic> {
    return topics.groupsOfTopic(this.#instance, topic);
  }

  /** What topics that are no more have left on disk goes (316). Names of the brokers that did it. */
  cleanUnusedTopics(target: BrokerTarget = {}): Promise<string[]> {
    return topics.cleanUnusedTopics(this.#instance, target);
  }

  /** Every consumer group and its settings, of every master (201). */
  groupList(target: BrokerTarget = {}): Promise<groups.GroupList> {
    return groups.groupList(this.#instance, target);
  }

  /**
   * Creates a group, or changes the settings that are given (352, 200), on every master of a cluster or on one broker.
   * Names of the brokers that have it now.
   */
  putGroup(
    group: string,
    settings: Partial<GroupSettings> = {},
    target: BrokerTarget = {},
  ): Promise<string[]> {
    return groups.putGroup(this.#instance, group, settings, target);
  }

  /** Forgets a group's settings, and its offsets when `cleanOffsets` (207). Names of the brokers that did it. */
  deleteGroup(group: string, options: DeleteGroupOptions = {}): Promise<string[]> {
    return deleteGroups(this.#instance, [group], options);
  }

  /** Several groups at once (5003); brokers that do not know it (RocketMQ's up to 5.5) do one after the other. */
  deleteGroups(names: readonly string[], options: DeleteGroupOptions = {}): Promise<string[]> {
    return deleteGroups(this.#instance, names, options);
  }

  /** Forbids a group to read a topic, or allows it again (353). Names of the brokers that did it. */
  forbidGroup(group: string, options: groups.ForbidOptions): Promise<string[]> {
    return groups.forbidGroup(this.#instance, group, options);
  }

  /** Topics a group has offsets of, sorted (343). */
  topicsOfGroup(group: string, target: BrokerTarget = {}): ReturnType<typeof groups.topicsOfGroup> {
    return groups.topicsOfGroup(this.#instance, group, target);
  }

  /** Whether a group's members pull a topic or pop it (401). Names of the brokers that did it. */
  setRequestMode(group: string, options: groups.RequestModeOptions): Promise<string[]> {
    return groups.setRequestMode(this.#instance, group, options);
  }

  /** What {@link setRequestMode} has set on one broker (402). */
  async requestModes(broker: string): Promise<MessageRequestModeSetting[]> {
    return groups.requestModes(this.#instance, (await oneBroker(this.#instance, broker)).address);
  }

  /**
   * Who is in a consumer group, what each member subscribes to and has in hand, and how far the group is (203, 208,
   * 307). A group nobody knows has no members and no queues.
   */
  async groupStatus(group: string): Promise<GroupStatus> {
    this.#instance.checkRunning();
    checkGroup(group);
    return groupStatus(this.#instance, await allMasters(this.#instance), group);
  }

  /** How far every group is in every topic it consumes (317). */
  consumeProgress(target: BrokerTarget = {}): ReturnType<typeof brokers.consumeProgress> {
    return brokers.consumeProgress(this.#instance, target);
  }

  /** Who is online in a consumer group, and what brokers take it to subscribe to (203). */
  consumerConnections(group: string, target: BrokerTarget = {}): Promise<consumers.ConsumerConnections> {
    return consumers.consumerConnections(this.#instance, group, target);
  }

  /** What each broker of a topic takes a group that is online to subscribe to of it (345). */
  consumerSubscription(group: string, topic: string): Promise<ConsumerSubscription> {
    return consumerSubscription(this.#instance, group, topic);
  }

  /** What one member is doing (307). `jstack`: with the stacks of its threads, which Java's clients have. */
  consumerRunningInfo(
    group: string,
    clientId: string,
    { jstack = false }: { readonly jstack?: boolean | undefined } = {},
  ): Promise<consumers.MemberRunningInfo> {
    return consumers.runningInfo(this.#instance, group, clientId, jstack);
  }

  /** Has one member consume one message of `broker` now (309); offsets stay. */
  async consumeDirectly(
    broker: string,
    options: consumers.ConsumeDirectlyOptions,
  ): Promise<ConsumeMessageDirectlyResult & { readonly clientId: string }> {
    const { name, address } = await oneBroker(this.#instance, broker);
    return consumers.consumeDirectly(this.#instance, name, address, options);
  }

  /** How far each member says it is in a topic, by client id (223). */
  memberOffsets(group: string, topic: string): ReturnType<typeof consumers.memberOffsets> {
    return consumers.memberOffsets(this.#instance, group, topic);
  }

  /** How far a group is in time, in every queue of a topic (303). */
  consumeTimeSpans(group: string, topic: string): ReturnType<typeof consumers.consumeTimeSpans> {
    return consumers.consumeTimeSpans(this.#instance, group, topic);
  }

  /** Who is online in a producer group (204). */
  producerConnections(group: string, target: BrokerTarget = {}): Promise<producers.ProducerConnections> {
    return producers.producerConnections(this.#instance, group, target);
  }

  /** Every producer that is online (328); brokers of RocketMQ from 5.0 on. */
  producerList(target: BrokerTarget = {}): Promise<producers.ProducerList> {
    return producers.producerList(this.#instance, target);
  }

  /** Messages of the topic with this key, on all its masters, oldest first (12); none is an empty list. */
  async queryMessage(
    topic: string,
    key: string,
    options: QueryMessageOptions = {},
  ): Promise<ReceivedMessage[]> {
    const max = checkInteger(options, "max", QUERY_MAX_DEFAULT, 1, QUERY_MAX);
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
    const max = checkInteger(options, "max", QUERY_MAX_DEFAULT, 1, QUERY_MAX);
    return messageTrace(this.#instance, idOrKey, { ...options, max }, (topic) => this.topicRoute(topic));
  }

  /** The message at a queue offset (11). Rejects with QUERY_NOT_FOUND, naming where the queue begins and ends. */
  messageAt(queue: MessageQueue, offset: number): Promise<ReceivedMessage> {
    return messages.messageAt(this.#instance, queue, offset);
  }

  /** Units of a ConsumeQueue as they are on disk (321). */
  consumeQueue(queue: MessageQueue, options: messages.ConsumeQueueOptions = {}): Promise<ConsumeQueueView> {
    return messages.consumeQueue(this.#instance, queue, options);
  }

  /** A half message that was parked after its last check is checked again (323). */
  resumeCheck(broker: string, topic: string, offsetMsgId: string): Promise<void> {
    return messages.resumeCheck(this.#instance, broker, topic, offsetMsgId);
  }

  /** Where a queue begins and ends, and how old its oldest message is (30, 31, 32). */
  queueBounds(queue: MessageQueue): Promise<offsets.QueueBounds> {
    return offsets.queueBounds(this.#instance, queue);
  }

  /** The offset of the first message stored at or after a time; the queue's end when there is none (29). */
  offsetAt(queue: MessageQueue, time: Date): Promise<number> {
    return offsets.offsetAt(this.#instance, queue, time);
  }

  /** Where a group is in one queue (14); `undefined`: it has no offset there. */
  consumerOffset(group: string, queue: MessageQueue): Promise<number | undefined> {
    return offsets.consumerOffset(this.#instance, group, queue);
  }

  /**
   * Writes a group's offset of one queue (15). Members that are online go on where they are and write theirs over it:
   * {@link resetOffsets} moves them, too.
   */
  setConsumerOffset(group: string, queue: MessageQueue, offset: number): Promise<void> {
    return offsets.setConsumerOffset(this.#instance, group, queue, offset);
  }

  /**
   * Lets a group go on in a topic from the first message stored at or after a time, from the "begin" or the "end", or
   * in one queue at an offset (222), back or forward, whether it is online or not; members go on there at once. Rejects
   * when a broker does not know the group.
   */
  resetOffsets(
    group: string,
    topic: string,
    to: offsets.ResetTo,
    options: offsets.ResetOptions = {},
  ): Promise<offsets.ResetOffset[]> {
    return offsets.resetOffsets(this.#instance, group, topic, to, options);
  }

  /** What {@link resetOffsets} would do, and where the group is now; nothing is changed (14, 29, 30, 31). */
  planReset(
    group: string,
    topic: string,
    to: offsets.ResetTo,
    options: offsets.ResetOptions = {},
  ): Promise<offsets.PlannedReset[]> {
    return offsets.planReset(this.#instance, group, topic, to, options);
  }

  /**
   * Tells the life of a message, asked for by id or by topic and key, from what brokers and their logs know: stored,
   * delayed, committed, and for each consumer group delivered, in flight, retried, dead or expired; no trace is needed. Of
   * a Java broker it tells less. Not finding the message is an answer (`messages` is empty), and `searched` says where it
   * was looked for and whether the search had holes: a broker that cannot be reached is one. Rejects with
   * INVALID_ARGUMENT.
   */
  where(query: WhereQuery): Promise<WhereResult> {
    return where(this.#instance, query);
  }

  /**
   * Lets `to` go on where `from` is, in every queue of a topic, or of all topics it has offsets of (314). Without
   * `offline` only while `from` has a member that subscribes to the topic.
   */
  cloneOffsets(options: offsets.CloneOffsetsOptions): Promise<void> {
    return offsets.cloneOffsets(this.#instance, options);
  }

  /** What every master, or those named, say of themselves (28). */
  brokerRuntimes(target: BrokerTarget = {}): Promise<brokers.BrokerRuntimes> {
    return brokers.brokerRuntimes(this.#instance, target);
  }

  /** The same of one broker; by `host:port` slaves, too (28). */
  async brokerRuntime(broker: string): Promise<brokers.BrokerRuntime> {
    return brokers.runtimeOf(this.#instance, await oneBroker(this.#instance, broker));
  }

  /** Every key of a broker's configuration (26). */
  brokerConfig(broker: string): Promise<Readonly<Record<string, string>>> {
    return brokers.brokerConfig(this.#instance, broker);
  }

  /**
   * Changes keys of brokers while they run (25). Rejects when a key cannot be changed so, and then none is. Names of
   * the brokers that did it.
   */
  updateBrokerConfig(values: Readonly<Record<string, string>>, target: BrokerTarget = {}): Promise<string[]> {
    return brokers.updateBrokerConfig(this.#instance, values, target);
  }

  /**
   * One counter over the last minute, hour and day, of every master that has it (315). TOPIC_PUT_NUMS and
   * TOPIC_PUT_SIZE by topic; GROUP_GET_NUMS, GROUP_GET_SIZE, SNDBCK_PUT_NUMS and DLQ_PUT_NUMS by `topic@group`;
   * BROKER_PUT_NUMS and BROKER_GET_NUMS by cluster.
   */
  async brokerStats(
    name: string,
    key: string,
    target: BrokerTarget = {},
  ): ReturnType<typeof brokers.brokerStats> {
    return brokers.brokerStats(this.#instance, name, key, await allMasters(this.#instance, target));
  }

  /** Expired ConsumeQueue files go now (306). Names of the brokers that did it. */
  cleanExpiredConsumeQueue(target: BrokerTarget = {}): Promise<string[]> {
    return brokers.cleanExpiredQueues(this.#instance, target);
  }

  /** Expired files of the CommitLog go now (329). Names of the brokers that did it. */
  deleteExpiredCommitLog(target: BrokerTarget = {}): Promise<string[]> {
    return brokers.deleteExpiredLog(this.#instance, target);
  }

  /** A master and its slaves (907). */
  haStatus(broker: string): Promise<HaStatus> {
    return brokers.haStatus(this.#instance, broker);
  }

  /** Routes of every NameServer show a broker's topics as not writable (205). Topics changed, by NameServer. */
  wipeWritePerm(brokerName: string): Promise<Readonly<Record<string, number>>> {
    return brokers.setWritable(this.#instance, brokerName, false);
  }

  /** Routes of every NameServer show a broker's topics as writable again (327). Topics changed, by NameServer. */
  addWritePerm(brokerName: string): Promise<Readonly<Record<string, number>>> {
    return brokers.setWritable(this.#instance, brokerName, true);
  }

  /** Keeps a value on every NameServer (100). */
  putKv(namespace: string, key: string, value: string): Promise<void> {
    return nameServers.putKv(this.#instance, namespace, key, value);
  }

  /** Forgets a value on every NameServer (102). */
  deleteKv(namespace: string, key: string): Promise<void> {
    return nameServers.deleteKv(this.#instance, namespace, key);
  }

  /** What each NameServer keeps there; `undefined`: nothing (101). */
  getKv(namespace: string, key: string): Promise<nameServers.FromNameServers<string | undefined>> {
    return nameServers.getKv(this.#instance, namespace, key);
  }

  /** All that each NameServer keeps in a namespace (219). */
  listKv(namespace: string): Promise<nameServers.FromNameServers<Readonly<Record<string, string>>>> {
    return nameServers.listKv(this.#instance, namespace);
  }

  /** Every key of each NameServer's configuration (319). */
  nameServerConfig(): Promise<nameServers.FromNameServers<Readonly<Record<string, string>>>> {
    return nameServers.nameServerConfig(this.#instance);
  }

  /** Changes keys on every NameServer while it runs (318). */
  updateNameServerConfig(values: Readonly<Record<string, string>>): Promise<void> {
    return nameServers.updateNameServerConfig(this.#instance, values);
  }
}
