/** Who consumes: connections, what a member is doing, how far it is, and handing it one message by hand. */
import {
  type ConsumeMessageDirectlyResult,
  type ConsumerConnection,
  type ConsumerRunningInfo,
  compareMessageQueues,
  consumeMessageDirectlyRequestHeader,
  getConsumerConnectionListRequestHeader,
  getConsumerRunningInfoRequestHeader,
  getConsumerStatusRequestHeader,
  mqVersionName,
  parseConsumeMessageDirectlyResult,
  parseConsumerConnection,
  parseConsumerRunningInfo,
  parseConsumerStatus,
  parseConsumeTimeSpans,
  queryConsumeTimeSpanRequestHeader,
  RequestCode,
  ResponseCode,
  type TopicConsumeStatus,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { fromResponse } from "../errors/error-from.ts";
import { OrbitError, type ServerFailure } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";
import { checkGroup, checkTopic } from "../names/names.ts";
import type { BrokerTarget, GroupSubscription } from "./admin-types.ts";
import { lookAtEach } from "./ask-each.ts";
import { allMasters, mastersOfRoute } from "./servers.ts";
import { topicRoute } from "./topics.ts";

/** One connection of a client to one broker. */
export interface ClientConnection {
  readonly clientId: string;
  /** `host:port`, as the broker sees it. */
  readonly address: string;
  /** JAVA, GO, NODE_JS, … */
  readonly language: string;
  /** The RocketMQ version the client says it speaks: `V5_5_0`. */
  readonly version: string;
  /** Names of the brokers it is connected to, sorted. */
  readonly brokers: readonly string[];
}

export interface ConsumerConnections {
  readonly group: string;
  /** CONSUME_PASSIVELY (push) or CONSUME_ACTIVELY (pull); "" when nobody is online. */
  readonly consumeType: string;
  /** CLUSTERING or BROADCASTING; "" when nobody is online. */
  readonly messageModel: string;
  /** CONSUME_FROM_LAST_OFFSET, …; "" when nobody is online. */
  readonly consumeFromWhere: string;
  /** By client id. Empty: nobody is online. */
  readonly connections: readonly ClientConnection[];
  /** What brokers take the group to subscribe to, by topic. */
  readonly subscriptions: readonly GroupSubscription[];
  readonly failures: readonly ServerFailure[];
}

/** What a member holds of one queue. */
export interface MemberQueue {
  readonly queue: MessageQueue;
  readonly commitOffset: number;
  /** Pulled and not yet consumed. */
  readonly inFlight: number;
  /** Ms since the epoch; 0: never. */
  readonly lastPullTimestamp: number;
  readonly lastConsumeTimestamp: number;
  /** Locked for consumption in order. */
  readonly locked: boolean;
}

export interface MemberRunningInfo {
  readonly group: string;
  readonly clientId: string;
  /** What the client tells of itself, under RocketMQ's names (PROP_CONSUME_TYPE, …). */
  readonly properties: Readonly<Record<string, string>>;
  readonly subscriptions: readonly GroupSubscription[];
  readonly queues: readonly MemberQueue[];
  /** Over the last minute, by topic: times in ms, rates per second. */
  readonly topics: Readonly<Record<string, TopicConsumeStatus>>;
  /** The stacks of a Java client's threads, when they were asked for; "" from others. */
  readonly jstack: string;
}

export interface ConsumeDirectlyOptions {
  readonly group: string;
  /** The member; default the first that is online by client id. */
  readonly clientId?: string | undefined;
  readonly topic: string;
  /** The offset message id: of what broker and log hold. */
  readonly offsetMsgId: string;
}

/** How far a group is in time, in one queue. Ms since the epoch; -1: there is no such message. */
export interface ConsumeTimeSpan {
  readonly queue: MessageQueue;
  readonly minTimestamp: number;
  readonly maxTimestamp: number;
  /** Store time of the last consumed message. */
  readonly consumeTimestamp: number;
  /** Age of the next message to consume, ms; 0 when there is none. */
  readonly delayMs: number;
}

/** Put together from every master named (203). */
export async function consumerConnections(
  instance: ClientInstance,
  group: string,
  target: BrokerTarget,
): Promise<ConsumerConnections> {
  checkGroup(group);
  const { answers, failures } = await lookAtEach(await allMasters(instance, target), (address, server) =>
    connectionsAt(instance, address, server, group),
  );
  const found = new Map<string, ClientConnection>();
  for (const { server, value } of answers)
    for (const { clientId, clientAddr, language, version } of value?.connections ?? []) {
      const brokers = [...(found.get(clientId)?.brokers ?? []), server];
      const rest = { address: clientAddr, language, version: mqVersionName(version), brokers };
      found.set(clientId, { clientId, ...rest });
    }
  const online = answers.find(({ value }) => value !== undefined)?.value;
  return {
    group,
    consumeType: online?.consumeType ?? "",
    messageModel: online?.messageModel ?? "",
    consumeFromWhere: online?.consumeFromWhere ?? "",
    connections: [...found.values()].sort((a, b) => (a.clientId < b.clientId ? -1 : 1)),
    subscriptions: [...(online?.subscriptions.values() ?? [])]
      .map(({ topic, expressionType, subString }) => ({ topic, expressionType, expression: subString }))
      .sort((a, b) => (a.topic < b.topic ? -1 : 1)),
    failures,
  };
}

/** `undefined`: nobody is online there. */
export function connectionsAt(
  instance: ClientInstance,
  address: string,
  server: string,
  group: string,
): Promise<ConsumerConnection | undefined> {
  return instance.call(
    address,
    {
      code: RequestCode.GET_CONSUMER_CONNECTION_LIST,
      header: (sink) => getConsumerConnectionListRequestHeader.encode({ consumerGroup: group }, sink),
    },
    ({ code, remark, body }) => {
      if (code === ResponseCode.CONSUMER_NOT_ONLINE) return undefined;
      if (code === ResponseCode.SUCCESS) return parseConsumerConnection(body);
      throw fromResponse(code, remark, server);
    },
  );
}

export function runningInfoAt(
  instance: ClientInstance,
  address: string,
  group: string,
  clientId: string,
  jstackEnable = false,
): Promise<ConsumerRunningInfo> {
  return instance.ask(
    address,
    {
      code: RequestCode.GET_CONSUMER_RUNNING_INFO,
      header: (sink) =>
        getConsumerRunningInfoRequestHeader.encode({ consumerGroup: group, clientId, jstackEnable }, sink),
    },
    ({ body }) => parseConsumerRunningInfo(body),
  );
}

/** Of one member, through a broker it is connected to (307). Rejects with QUERY_NOT_FOUND when it is not online. */
export async function runningInfo(
  instance: ClientInstance,
  group: string,
  clientId: string,
  jstack: boolean,
): Promise<MemberRunningInfo> {
  const address = await brokerOfMember(instance, group, clientId);
  const info = await runningInfoAt(instance, address, group, clientId, jstack);
  return {
    group,
    clientId,
    properties: Object.fromEntries(info.properties),
    subscriptions: info.subscriptions.map(({ topic, expressionType, subString }) => ({
      topic,
      expressionType,
      expression: subString,
    })),
    queues: info.queues
      .map(({ cachedMsgCount, ...queue }) => ({ ...queue, inFlight: cachedMsgCount }))
      .sort((a, b) => compareMessageQueues(a.queue, b.queue)),
    topics: Object.fromEntries(info.statuses),
    jstack: info.jstack,
  };
}

async function brokerOfMember(instance: ClientInstance, group: string, clientId: string): Promise<string> {
  const { connections } = await consumerConnections(instance, group, {});
  const name = connections.find((connection) => connection.clientId === clientId)?.brokers[0];
  const masters = name === undefined ? [] : await allMasters(instance);
  const address = masters.find((master) => master.name === name)?.address;
  if (address !== undefined) return address;
  throw new OrbitError("QUERY_NOT_FOUND", `${group} has no member ${clientId} online`);
}

/** Has one member consume one message now, whatever its offsets say (309). */
export async function consumeDirectly(
  instance: ClientInstance,
  brokerName: string,
  address: string,
  { group, clientId, topic, offsetMsgId }: ConsumeDirectlyOptions,
): Promise<ConsumeMessageDirectlyResult & { readonly clientId: string }> {
  checkGroup(group);
  checkTopic(topic);
  const online = await connectionsAt(instance, address, brokerName, group);
  const ids = (online?.connections ?? []).map((connection) => connection.clientId).sort();
  const id = clientId ?? ids[0];
  if (id === undefined || !ids.includes(id)) {
    const who = clientId === undefined ? "nobody" : `no member ${clientId}`;
    throw new OrbitError("QUERY_NOT_FOUND", `${group} has ${who} online at ${brokerName}`);
  }
  const header = { consumerGroup: group, clientId: id, msgId: offsetMsgId, brokerName, topic };
  const result = await instance.ask(
    address,
    {
      code: RequestCode.CONSUME_MESSAGE_DIRECTLY,
      header: (sink) => consumeMessageDirectlyRequestHeader.encode(header, sink),
    },
    ({ body }) => parseConsumeMessageDirectlyResult(body),
  );
  return { clientId: id, ...result };
}

/** How far each member says it is in a topic (223), by client id. */
export async function memberOffsets(
  instance: ClientInstance,
  group: string,
  topic: string,
): Promise<{
  readonly members: Readonly<Record<string, readonly { queue: MessageQueue; offset: number }[]>>;
  readonly failures: readonly ServerFailure[];
}> {
  checkGroup(group);
  const route = await topicRoute(instance, topic);
  const { answers, failures } = await lookAtEach(mastersOfRoute(route), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
        header: (sink) => getConsumerStatusRequestHeader.encode({ topic, group }, sink),
      },
      ({ body }) => parseConsumerStatus(body),
    ),
  );
  const members = new Map<string, { queue: MessageQueue; offset: number }[]>();
  // Each broker asks the same members, which answer with every queue they have.
  for (const { value } of answers)
    for (const [clientId, offsets] of value)
      if (!members.has(clientId))
        members.set(
          clientId,
          [...offsets]
            .map(([queue, offset]) => ({ queue, offset }))
            .sort((a, b) => compareMessageQueues(a.queue, b.queue)),
        );
  return { members: Object.fromEntries([...members].sort()), failures };
}

/** Of a group in every queue of a topic (303). */
export async function consumeTimeSpans(
  instance: ClientInstance,
  group: string,
  topic: string,
): Promise<{ readonly queues: readonly ConsumeTimeSpan[]; readonly failures: readonly ServerFailure[] }> {
  checkGroup(group);
  const route = await topicRoute(instance, topic);
  const { answers, failures } = await lookAtEach(mastersOfRoute(route), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.QUERY_CONSUME_TIME_SPAN,
        header: (sink) => queryConsumeTimeSpanRequestHeader.encode({ topic, group }, sink),
      },
      ({ body }) => parseConsumeTimeSpans(body),
    ),
  );
  const queues = answers.flatMap(({ value }) =>
    value.map(({ messageQueue, minTimeStamp, maxTimeStamp, consumeTimeStamp, delayTime }) => ({
      queue: messageQueue,
      minTimestamp: minTimeStamp,
      maxTimestamp: maxTimeStamp,
      consumeTimestamp: consumeTimeStamp,
      delayMs: delayTime,
    })),
  );
  return { queues: queues.sort((a, b) => compareMessageQueues(a.queue, b.queue)), failures };
}
