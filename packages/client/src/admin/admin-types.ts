/** What the admin client takes and gives, as plain data that can be printed as JSON. */
import type { MessageQueue } from "../message.ts";

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
  /** Store times, ms since the epoch, both included. Default all. */
  readonly beginMs?: number | undefined;
  readonly endMs?: number | undefined;
  /** What the key is: a word of KEYS or a unique id (`key`, default), or a tag (brokers of RocketMQ from 5.4 on). */
  readonly by?: "key" | "tag" | undefined;
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
