/**
 * The topics of a broker (RocketMQ: TopicConfigManager). A pure table: it changes only through `apply`, and a
 * change holds everything it needs (the time, too), so that changes can be logged and replayed.
 *
 * topics.json:  {"dataVersion":DataVersion,"topicConfigTable":{"<topic>":TopicConfig}}
 */
import {
  type DataVersion,
  dataVersionFromJson,
  isInherited,
  newDataVersion,
  newTopicConfig,
  nextDataVersion,
  Perm,
  parseJsonFile,
  type TopicConfig,
  topicConfigFromJson,
} from "@orbitmq/wire";
import { AUTO_CREATE_TOPIC_KEY_TOPIC } from "../names.ts";
import { formatPrettyFastjson } from "../pretty-fastjson.ts";

export type TopicChange =
  /** Creates the topic or replaces its configuration. `atMs` is wall time. */
  | { readonly kind: "topic-put"; readonly topic: TopicConfig; readonly atMs: number }
  | { readonly kind: "topic-delete"; readonly topic: string; readonly atMs: number }
  /** Something that all topics are told with has changed: only the version advances. */
  | { readonly kind: "topics-told"; readonly atMs: number };

export interface TopicsSnapshot {
  readonly topics: readonly TopicConfig[];
  readonly dataVersion: DataVersion;
}

export class Topics {
  readonly #table = new Map<string, TopicConfig>();
  #dataVersion: DataVersion;

  /** `builtIn` are there without a change and without a version. */
  constructor(builtIn: readonly TopicConfig[], nowMs: number) {
    for (const topic of builtIn) this.#table.set(topic.topicName, topic);
    this.#dataVersion = newDataVersion(nowMs);
  }

  get dataVersion(): DataVersion {
    return this.#dataVersion;
  }

  get size(): number {
    return this.#table.size;
  }

  get table(): ReadonlyMap<string, TopicConfig> {
    return this.#table;
  }

  get(topic: string): TopicConfig | undefined {
    return this.#table.get(topic);
  }

  apply(change: TopicChange): void {
    if (change.kind === "topic-delete") this.#table.delete(change.topic);
    else if (change.kind === "topic-put") this.#table.set(change.topic.topicName, change.topic);
    this.#dataVersion = nextDataVersion(this.#dataVersion, change.atMs);
  }

  /** Takes over what a file held; it wins over what is built in. */
  restore(snapshot: TopicsSnapshot): void {
    for (const topic of snapshot.topics) this.#table.set(topic.topicName, topic);
    this.#dataVersion = snapshot.dataVersion;
  }

  format(): string {
    return formatPrettyFastjson({ dataVersion: this.#dataVersion, topicConfigTable: this.#table });
  }
}

/** Reads topics.json, ours or Java's. Throws WireError JSON_MALFORMED. */
export function parseTopics(text: string): TopicsSnapshot {
  const json = parseJsonFile(text, "topics.json");
  return {
    topics: json
      .object("topicConfigTable")
      .objects()
      .map(([name, config]) => topicConfigFromJson(config, name)),
    dataVersion: dataVersionFromJson(json.object("dataVersion")),
  };
}

export interface AutoCreateRequest {
  readonly topic: string;
  /** The topic the new one is created after. */
  readonly defaultTopic: string;
  readonly defaultTopicQueueNums: number;
  readonly topicSysFlag: number;
  readonly autoCreateTopicEnable: boolean;
}

/**
 * The topic a send to an unknown topic brings into being (RocketMQ: createTopicInSendMessageMethod), or why none:
 * the topic it is modelled on must exist here and be inheritable.
 */
export function topicModelledOn(
  request: AutoCreateRequest,
  topics: Topics,
): { readonly config: TopicConfig } | { readonly problem: string } {
  const model = topics.get(request.defaultTopic);
  if (model === undefined)
    return { problem: `its default topic ${request.defaultTopic} does not exist here` };
  const switchedOff = request.defaultTopic === AUTO_CREATE_TOPIC_KEY_TOPIC && !request.autoCreateTopicEnable;
  if (switchedOff || !isInherited(model.perm)) {
    return {
      problem: `its default topic ${request.defaultTopic} does not allow topics to be created after it`,
    };
  }
  const queues = Math.min(request.defaultTopicQueueNums, model.writeQueueNums);
  if (queues <= 0) return { problem: `${queues} queues were asked for` };
  return {
    config: newTopicConfig(request.topic, {
      readQueueNums: queues,
      writeQueueNums: queues,
      perm: model.perm & ~Perm.INHERIT,
      topicSysFlag: request.topicSysFlag,
      topicFilterType: model.topicFilterType,
    }),
  };
}
