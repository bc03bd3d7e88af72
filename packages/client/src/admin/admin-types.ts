/** What the admin client takes and gives, as plain data that can be printed as JSON. */
import type { ServerFailure } from "../errors/errors.ts";
import type { MessageQueue } from "../message/message.ts";

/** Which brokers a call is for. */
export interface BrokerTarget {
  /** Every master of this cluster; default the only cluster there is. Excludes `broker`. */
  readonly cluster?: string | undefined;
  /** One broker: its name (then its master), or `host:port`. */
  readonly broker?: string | undefined;
}

export interface CreateTopicOptions extends BrokerTarget {
  /** Read and write queues on each broker. Default 8, as mqadmin. */
  readonly queues?: number | undefined;
  /** Read queues, when there are not to be as many as write queues. Default `queues`. */
  readonly readQueues?: number | undefined;
  /** 2 write, 4 read, 6 both. Default 6. */
  readonly perm?: number | undefined;
  /** Whether messages of one sharding key keep their order when a broker is away. Default false. */
  readonly order?: boolean | undefined;
  /**
   * What to set of the topic's attributes: `message.type` NORMAL, FIFO, DELAY or TRANSACTION, …; `undefined` drops
   * one. Attributes that are not named stay.
   */
  readonly attributes?: Readonly<Record<string, string | undefined>> | undefined;
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
  /** Messages consumed per second over the last minute, all brokers together. */
  readonly consumeTps: number;
  /** Brokers that did not answer: what they know is missing above. */
  readonly failures: readonly ServerFailure[];
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
  /** Brokers that did not answer: their queues are missing above. */
  readonly failures: readonly ServerFailure[];
}

export interface ClusterOverview {
  /** Cluster name → names of its brokers, sorted. */
  readonly clusters: Readonly<Record<string, readonly string[]>>;
  readonly brokers: readonly BrokerOverview[];
}
