/** What the admin client takes and gives, as plain data that can be printed as JSON. */
import type { MessageQueue } from "../message/message.ts";

export interface CreateTopicOptions {
  /** Read and write queues on each broker. Default 8, as mqadmin. */
  readonly queues?: number | undefined;
  /** 2 write, 4 read, 6 both. Default 6. */
  readonly perm?: number | undefined;
  /** On every master of this cluster; default the only cluster there is. Excludes `broker`. */
  readonly cluster?: string | undefined;
  /** On the master of this name only. */
  readonly broker?: string | undefined;
}

export interface CreatedTopic {
  readonly topic: string;
  readonly queues: number;
  readonly perm: number;
  /** Names of the brokers that have it now, sorted. */
  readonly brokers: readonly string[];
}

export interface QueryMessageOptions {
  /** At most so many from each broker, the newest; brokers allow 64. Default 64. */
  readonly max?: number | undefined;
  /** Stored at or after, ms since the epoch. Default: as long ago as there are messages. */
  readonly beginMs?: number | undefined;
  /** Stored at or before. Default: until now. */
  readonly endMs?: number | undefined;
  /** What the key is: a word of KEYS or a unique id (`key`, default), or a tag (brokers of RocketMQ from 5.4 on). */
  readonly by?: "key" | "tag" | undefined;
}

export interface GroupSubscription {
  readonly topic: string;
  /** TAG or SQL92. */
  readonly expressionType: string;
  /** Tags joined by `||`, `*`, or an SQL92 expression. */
  readonly expression: string;
}

export interface GroupMember {
  readonly clientId: string;
  /** `host:port`, as the broker sees it. */
  readonly address: string;
  /** JAVA, GO, NODE_JS, … */
  readonly language: string;
  /** The RocketMQ version the client says it speaks: `V5_5_0`. */
  readonly version: string;
  /** By topic, without the group's retry topic; absent: the member did not answer. */
  readonly subscriptions?: readonly GroupSubscription[];
  /** Queues it consumes now, and the messages it has of each, pulled and not yet consumed; absent as above. */
  readonly queues?: readonly { readonly queue: MessageQueue; readonly inFlight: number }[];
}

export interface GroupQueueStatus {
  readonly queue: MessageQueue;
  readonly consumerOffset: number;
  readonly brokerOffset: number;
  /** Messages still to be consumed: `brokerOffset` − `consumerOffset`. */
  readonly lag: number;
  /** Store time of the last consumed message, ms since the epoch; 0 when there is none. */
  readonly lastTimestamp: number;
  /** Client ids of the members that consume it now: one, unless the group is being divided anew or broadcasting. */
  readonly members: readonly string[];
  /** What they have pulled and not yet consumed; absent when nobody who answered consumes it. */
  readonly inFlight?: number;
}

export interface GroupStatus {
  readonly group: string;
  /** Somebody is connected. */
  readonly online: boolean;
  /** CONSUME_PASSIVELY (push) or CONSUME_ACTIVELY (pull); "" when nobody is online. */
  readonly consumeType: string;
  /** CLUSTERING or BROADCASTING; "" when nobody is online. */
  readonly messageModel: string;
  readonly members: readonly GroupMember[];
  /**
   * Members that subscribe to different things, which loses messages: each kind of subscription with the client ids
   * that have it. Empty when all who answered subscribe to the same.
   */
  readonly differences: readonly { readonly subscriptions: string; readonly members: readonly string[] }[];
  readonly queues: readonly GroupQueueStatus[];
  readonly lag: number;
}

export interface ResetOffset {
  readonly queue: MessageQueue;
  /** Where the group goes on. */
  readonly offset: number;
}

export interface BrokerOverview {
  readonly brokerName: string;
  readonly cluster: string;
  /** Broker id → `host:port`; 0 is the master. */
  readonly addresses: Readonly<Record<string, string>>;
}

export interface TopicRouteQueues {
  readonly brokerName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  readonly perm: number;
}

export interface TopicRoute {
  readonly topic: string;
  readonly brokers: readonly BrokerOverview[];
  readonly queues: readonly TopicRouteQueues[];
}

export interface TopicQueueStatus {
  readonly queue: MessageQueue;
  readonly minOffset: number;
  readonly maxOffset: number;
  /** Store time of the newest message, ms since the epoch; 0 when there is none. */
  readonly lastUpdateTimestamp: number;
}

export interface TopicStatus {
  readonly topic: string;
  readonly queues: readonly TopicQueueStatus[];
}

export interface ClusterOverview {
  /** Cluster name → names of its brokers, sorted. */
  readonly clusters: Readonly<Record<string, readonly string[]>>;
  readonly brokers: readonly BrokerOverview[];
}

export interface CloneOffsetsOptions {
  /** The group whose offsets are taken. */
  readonly from: string;
  readonly to: string;
  readonly topic: string;
  /** Also while no member of `from` is online. Default true. */
  readonly offline?: boolean | undefined;
}
