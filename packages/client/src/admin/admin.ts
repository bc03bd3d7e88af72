/** Skeleton of the admin client; the behaviour behind these signatures follows. */
import type { Host } from "@orbitmq/host";
import type { ClientOptions, ShutdownOptions } from "../client-options.ts";
import type {
  ClusterOverview,
  CreatedTopic,
  CreateTopicOptions,
  TopicRoute,
  TopicStatus,
} from "./admin-types.ts";

export class Admin {
  constructor(_host: Host, _options: ClientOptions = {}) {}

  start(): Promise<void> {
    throw new Error("not there yet");
  }

  /** Creates the topic, or changes it, on every master of a cluster or on one broker (17). */
  createTopic(_topic: string, _options: CreateTopicOptions = {}): Promise<CreatedTopic> {
    throw new Error("not there yet");
  }

  /** Names of all topics, sorted (206). */
  topicList(): Promise<string[]> {
    throw new Error("not there yet");
  }

  /** Where a topic's queues are (105). Rejects with TOPIC_ROUTE_NOT_FOUND. */
  topicRoute(_topic: string): Promise<TopicRoute> {
    throw new Error("not there yet");
  }

  /** Offsets of a topic's queues on all its masters (202), by broker and queue id. */
  topicStatus(_topic: string): Promise<TopicStatus> {
    throw new Error("not there yet");
  }

  /** Every cluster and broker the NameServer knows (106). */
  clusterInfo(): Promise<ClusterOverview> {
    throw new Error("not there yet");
  }

  shutdown(_options: ShutdownOptions = {}): Promise<void> {
    throw new Error("not there yet");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
