/**
 * UPDATE_AND_CREATE_TOPIC (17): creates a topic or changes it. Answered once topics.json holds it and every
 * NameServer that answers knows it, so that a route asked for next is there. 29 for a bad name, a system topic,
 * bad counts or attributes; 1 when it cannot be kept.
 */
import {
  Refusal,
  type RequestHandler,
  ResponseCode,
  type TopicConfig,
  type UpdateAndCreateTopicRequestHeader,
  updateAndCreateTopicRequestHeader,
} from "@orbitmq/wire";
import type { ResolvedBrokerOptions } from "../broker-options.ts";
import { topicNameProblem } from "../names.ts";
import { isSystemTopic } from "../topics/system-topics.ts";
import { alterAttributes } from "../topics/topic-attributes.ts";
import type { TopicRegistry } from "../topics/topic-registry.ts";

export interface UpdateAndCreateTopicNeeds {
  readonly options: ResolvedBrokerOptions;
  readonly topics: TopicRegistry;
  /** Calls back once every NameServer has taken the topics, or could not be reached. */
  readonly whenRegistered: (done: () => void) => void;
}

const PERM_MASK = 0xf;

export function updateAndCreateTopic(needs: UpdateAndCreateTopicNeeds): RequestHandler {
  return (request, exchange) => {
    const header = updateAndCreateTopicRequestHeader.decode(request.ext);
    putTopics(needs, [checkedTopic(needs, header)], (problem) =>
      exchange.reply(
        problem === undefined
          ? { code: ResponseCode.SUCCESS }
          : { code: ResponseCode.SYSTEM_ERROR, remark: problem },
      ),
    );
  };
}

/** The topic as it will be. Throws Refusal: 29 for what may not be, 1 when there is no room. */
export function checkedTopic(
  { options, topics }: UpdateAndCreateTopicNeeds,
  header: UpdateAndCreateTopicRequestHeader,
): TopicConfig {
  const { topic } = header;
  const problem =
    topicNameProblem(topic) ??
    (isSystemTopic(topic, options) ? `The topic[${topic}] is conflict with system topic.` : undefined) ??
    countsProblem(header, options.topicQueuesMax);
  if (problem !== undefined) throw new Refusal(ResponseCode.INVALID_PARAMETER, problem);
  const known = topics.get(topic);
  if (known === undefined && topics.topics.size >= options.topicsMax) {
    throw new Refusal(ResponseCode.SYSTEM_ERROR, `the broker has its ${options.topicsMax} topics`);
  }
  const altered = alterAttributes(known?.attributes ?? {}, header.attributes);
  if ("problem" in altered) throw new Refusal(ResponseCode.INVALID_PARAMETER, altered.problem);
  return configOf(header, altered.attributes);
}

/** Calls `done` when topics.json holds all of them and NameServers know, or with why they could not be kept. */
export function putTopics(
  { topics, whenRegistered }: UpdateAndCreateTopicNeeds,
  configs: readonly TopicConfig[],
  done: (problem: string | undefined) => void,
): void {
  for (const config of configs) {
    const known = topics.get(config.topicName);
    if (known === undefined || !sameTopic(known, config)) topics.put(config);
  }
  let left = configs.length;
  let problem: string | undefined;
  if (left === 0) done(undefined);
  for (const { topicName } of configs) {
    topics.whenPersisted(topicName, (error) => {
      if (error !== undefined) problem ??= `the topic ${topicName} could not be kept: ${error.message}`;
      left -= 1;
      if (left > 0) return;
      if (problem !== undefined) done(problem);
      else whenRegistered(() => done(undefined));
    });
  }
}

function countsProblem(header: UpdateAndCreateTopicRequestHeader, max: number): string | undefined {
  for (const [name, count] of [
    ["readQueueNums", header.readQueueNums],
    ["writeQueueNums", header.writeQueueNums],
  ] as const) {
    if (count < 0 || count > max) return `${name} is ${count}; it must be between 0 and ${max}`;
  }
  if ((header.perm & ~PERM_MASK) !== 0) return `perm is ${header.perm}; it must be a sum of 8, 4, 2 and 1`;
  return undefined;
}

function configOf(
  header: UpdateAndCreateTopicRequestHeader,
  attributes: Readonly<Record<string, string>>,
): TopicConfig {
  return {
    topicName: header.topic,
    readQueueNums: header.readQueueNums,
    writeQueueNums: header.writeQueueNums,
    perm: header.perm,
    topicFilterType: header.topicFilterType === "MULTI_TAG" ? "MULTI_TAG" : "SINGLE_TAG",
    topicSysFlag: header.topicSysFlag ?? 0,
    order: header.order ?? false,
    attributes,
  };
}

function sameTopic(a: TopicConfig, b: TopicConfig): boolean {
  const { attributes: attributesA, ...restA } = a;
  const { attributes: attributesB, ...restB } = b;
  const sorted = (record: object) => JSON.stringify(Object.entries(record).sort());
  return sorted(restA) === sorted(restB) && sorted(attributesA) === sorted(attributesB);
}
