/** Topics: creating and changing them, where they are, how they are set up and how much flows. */
import {
  compareMessageQueues,
  type ExtSink,
  encodeTopicConfigList,
  getTopicConfigRequestHeader,
  getTopicStatsInfoRequestHeader,
  getTopicsByClusterRequestHeader,
  newTopicConfig,
  parseGroupList,
  parseJsonFile,
  parseTopicConfigSerializeWrapper,
  parseTopicList,
  parseTopicStatsTable,
  queryTopicConsumeByWhoRequestHeader,
  RequestCode,
  type TopicConfig,
  updateAndCreateTopicRequestHeader,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { DEFAULT_TOPIC } from "../connection/topic-queues.ts";
import { OrbitError, type ServerFailure } from "../errors/errors.ts";
import { checkTopic } from "../names/names.ts";
import { checkInteger } from "../options/option-checks.ts";
import type {
  BrokerTarget,
  CreatedTopic,
  CreateTopicOptions,
  TopicRoute,
  TopicStatus,
} from "./admin-types.ts";
import { changeEach, lookAtEach } from "./ask-each.ts";
import { allMasters, byBrokerName, mastersOf, mastersOfRoute, overviewOf } from "./servers.ts";

const QUEUES_DEFAULT = 8;
const QUEUES_MAX = 65_535;
const PERM_DEFAULT = 6;

/** How a topic is set up on one broker (RocketMQ: TopicConfig). */
export interface TopicSettings {
  readonly topic: string;
  readonly brokerName: string;
  readonly readQueueNums: number;
  readonly writeQueueNums: number;
  /** 4 read, 2 write, 6 both. */
  readonly perm: number;
  readonly order: boolean;
  readonly attributes: Readonly<Record<string, string>>;
}

export async function createTopic(
  instance: ClientInstance,
  topic: string,
  options: CreateTopicOptions,
): Promise<CreatedTopic> {
  instance.checkRunning();
  checkTopic(topic);
  const { queues, readQueueNums, perm } = checkedCounts(options);
  const attributes =
    options.attributes &&
    attributeChanges(options.attributes).map(([sign, name, value]) =>
      sign === "+" ? `+${name}=${value}` : `-${name}`,
    );
  const header = {
    topic,
    defaultTopic: DEFAULT_TOPIC,
    readQueueNums,
    writeQueueNums: queues,
    perm,
    topicFilterType: "SINGLE_TAG",
    topicSysFlag: 0,
    order: options.order ?? false,
    attributes: attributes?.join(","),
  } as const;
  const request = {
    code: RequestCode.UPDATE_AND_CREATE_TOPIC,
    header: (sink: ExtSink) => updateAndCreateTopicRequestHeader.encode(header, sink),
  };
  const masters = await mastersOf(instance, options);
  const done = await changeEach(masters, (address) => instance.ask(address, request, () => undefined));
  return { topic, queues, perm, brokers: done.map(({ server }) => server) };
}

function checkedCounts(options: CreateTopicOptions) {
  const queues = checkInteger(options, "queues", QUEUES_DEFAULT, 1, QUEUES_MAX);
  const readQueueNums = checkInteger(options, "readQueues", queues, 0, QUEUES_MAX);
  return { queues, readQueueNums, perm: checkInteger(options, "perm", PERM_DEFAULT, 0, 7) };
}

/** "+" sets, "-" drops. Throws INVALID_ARGUMENT for what would not come through as it is. */
function attributeChanges(attributes: Readonly<Record<string, string | undefined>>) {
  return Object.entries(attributes).map(([name, value]): ["+" | "-", string, string] => {
    if (name === "" || /[,=+\s]/.test(name) || /[,\s]/.test(value ?? ""))
      throw new OrbitError("INVALID_ARGUMENT", `the attribute "${name}" has a comma, a sign or a space`);
    return value === undefined ? ["-", name, ""] : ["+", name, value];
  });
}

export async function topicRoute(instance: ClientInstance, topic: string): Promise<TopicRoute> {
  instance.checkRunning();
  checkTopic(topic);
  const route = await instance.nameServers.route(topic);
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

export async function topicStatus(instance: ClientInstance, topic: string): Promise<TopicStatus> {
  const route = await topicRoute(instance, topic);
  const { answers, failures } = await lookAtEach(mastersOfRoute(route), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.GET_TOPIC_STATS_INFO,
        header: (sink) => getTopicStatsInfoRequestHeader.encode({ topic }, sink),
      },
      ({ body }) => parseTopicStatsTable(body).offsets,
    ),
  );
  const queues = answers.flatMap(({ value }) => value);
  return { topic, queues: queues.sort((a, b) => compareMessageQueues(a.queue, b.queue)), failures };
}

/** On every broker of its route (351), by broker name. */
export async function topicSettings(
  instance: ClientInstance,
  topic: string,
): Promise<{ readonly brokers: readonly TopicSettings[]; readonly failures: readonly ServerFailure[] }> {
  const route = await topicRoute(instance, topic);
  const { answers, failures } = await lookAtEach(mastersOfRoute(route), (address, brokerName) =>
    instance.ask(
      address,
      {
        code: RequestCode.GET_TOPIC_CONFIG,
        header: (sink) => getTopicConfigRequestHeader.encode({ topic }, sink),
      },
      ({ body }) => {
        const json = parseJsonFile(body, "TopicConfig");
        return {
          topic,
          brokerName,
          readQueueNums: json.integer("readQueueNums", 0),
          writeQueueNums: json.integer("writeQueueNums", 0),
          perm: json.integer("perm", PERM_DEFAULT),
          order: json.boolean("order", false),
          attributes: Object.fromEntries(json.stringMap("attributes")),
        };
      },
    ),
  );
  return { brokers: answers.map(({ value }) => value), failures };
}

/** Every topic of one broker (21), by name. */
export async function brokerTopics(
  instance: ClientInstance,
  { name: brokerName, address }: { readonly name: string; readonly address: string },
): Promise<TopicSettings[]> {
  const table = await instance.ask(
    address,
    { code: RequestCode.GET_ALL_TOPIC_CONFIG },
    ({ body }) => parseTopicConfigSerializeWrapper(body).topicConfigTable,
  );
  const settingsOf = ({ topicName: topic, ...config }: TopicConfig): TopicSettings => {
    const { readQueueNums, writeQueueNums, perm, order, attributes } = config;
    return { topic, brokerName, readQueueNums, writeQueueNums, perm, order, attributes };
  };
  return [...table.values()].map(settingsOf).sort((a, b) => (a.topic < b.topic ? -1 : 1));
}

/** Several topics at once, all alike, on every master named (18). */
export async function createTopics(
  instance: ClientInstance,
  topics: readonly string[],
  options: CreateTopicOptions,
): Promise<readonly CreatedTopic[]> {
  instance.checkRunning();
  for (const topic of topics) checkTopic(topic);
  const { queues, readQueueNums, perm } = checkedCounts(options);
  const attributes = Object.fromEntries(
    attributeChanges(options.attributes ?? {}).map(([sign, name, value]) => [sign + name, value]),
  );
  const configs = topics.map((topic) =>
    newTopicConfig(topic, {
      readQueueNums,
      writeQueueNums: queues,
      perm,
      order: options.order ?? false,
      attributes,
    }),
  );
  const request = { code: RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, body: [encodeTopicConfigList(configs)] };
  const masters = await mastersOf(instance, options);
  const done = await changeEach(masters, (address) => instance.ask(address, request, () => undefined));
  const brokers = done.map(({ server }) => server);
  return topics.map((topic) => ({ topic, queues, perm, brokers }));
}

/** Names, sorted (224). */
export async function topicsOfCluster(instance: ClientInstance, cluster: string): Promise<string[]> {
  instance.checkRunning();
  const request = {
    code: RequestCode.GET_TOPICS_BY_CLUSTER,
    header: (sink: ExtSink) => getTopicsByClusterRequestHeader.encode({ cluster }, sink),
  };
  const list = await instance.nameServers.ask(request, ({ body }) => parseTopicList(body));
  return [...(list?.topicList ?? [])].sort();
}

/** Groups that consume a topic on any of its masters, online or with offsets, sorted (300). */
export async function groupsOfTopic(
  instance: ClientInstance,
  topic: string,
): Promise<{ readonly groups: readonly string[]; readonly failures: readonly ServerFailure[] }> {
  const route = await topicRoute(instance, topic);
  const { answers, failures } = await lookAtEach(mastersOfRoute(route), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.QUERY_TOPIC_CONSUME_BY_WHO,
        header: (sink) => queryTopicConsumeByWhoRequestHeader.encode({ topic }, sink),
      },
      ({ body }) => parseGroupList(body),
    ),
  );
  return { groups: [...new Set(answers.flatMap(({ value }) => value))].sort(), failures };
}

/** The topics a broker keeps for itself, of every master named (305). */
export async function systemTopics(instance: ClientInstance, target: BrokerTarget): Promise<string[]> {
  const masters = await allMasters(instance, target);
  const { answers } = await lookAtEach(masters, (address) =>
    instance.ask(
      address,
      { code: RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER },
      ({ body }) => parseTopicList(body).topicList,
    ),
  );
  return [...new Set(answers.flatMap(({ value }) => value))].sort();
}

/** What of topics that are no more is left on disk goes (316). Names of the brokers that did it. */
export async function cleanUnusedTopics(instance: ClientInstance, target: BrokerTarget): Promise<string[]> {
  const masters = await allMasters(instance, target);
  const request = { code: RequestCode.CLEAN_UNUSED_TOPIC };
  const done = await changeEach(masters, (address) => instance.ask(address, request, () => undefined));
  return done.map(({ server }) => server);
}
