/** Consumer groups as brokers keep them: their settings, what they may read, which topics they have offsets of. */
import {
  encodeMessageRequestMode,
  getSubscriptionGroupConfigRequestHeader,
  type MessageRequestModeSetting,
  parseGroupReadable,
  parseJsonFile,
  parseMessageRequestModes,
  parseTopicList,
  queryTopicsByConsumerRequestHeader,
  RequestCode,
  updateGroupForbiddenRequestHeader,
} from "@orbitmq/wire";
import type { ClientInstance } from "../connection/client-instance.ts";
import { OrbitError, type ServerFailure } from "../errors/errors.ts";
import { checkGroup, checkTopic } from "../names/names.ts";
import { checkInteger } from "../options/option-checks.ts";
import type { BrokerTarget } from "./admin-types.ts";
import { changeEach, lookAtEach } from "./ask-each.ts";
import {
  type BrokerGroupSettings,
  encodeGroupSettings,
  type GroupSettings,
  parseGroupTable,
} from "./group-settings.ts";
import { allMasters, mastersOf } from "./servers.ts";

export interface GroupList {
  /** By group, then broker. */
  readonly groups: readonly BrokerGroupSettings[];
  readonly failures: readonly ServerFailure[];
}

export interface ForbidOptions extends BrokerTarget {
  readonly topic: string;
  /** Default true; false allows it again. */
  readonly forbidden?: boolean | undefined;
}

export interface RequestModeOptions extends BrokerTarget {
  readonly topic: string;
  readonly mode: "PULL" | "POP";
  /** With POP: each member also takes the queues of so many others; 0 or less: every member pops all. Default 0. */
  readonly popShareQueueNum?: number | undefined;
}

/** Every group of every master named (201). */
export async function groupList(instance: ClientInstance, target: BrokerTarget): Promise<GroupList> {
  const { answers, failures } = await lookAtEach(await allMasters(instance, target), (address, brokerName) =>
    instance.ask(address, { code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG }, ({ body }) =>
      parseGroupTable(body, brokerName),
    ),
  );
  const groups = answers.flatMap(({ value }) => value);
  return { groups: groups.sort((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : 0)), failures };
}

/**
 * Creates the group, or changes what is given of it (352, 200), on every master named. Names of the brokers that
 * have it now.
 */
export async function putGroup(
  instance: ClientInstance,
  group: string,
  settings: Partial<GroupSettings>,
  target: BrokerTarget,
): Promise<string[]> {
  checkGroup(group);
  checkInteger(settings, "retryQueueNums", 1, 0);
  checkInteger(settings, "retryMaxTimes", 16, -1);
  const masters = await mastersOf(instance, target);
  const done = await changeEach(masters, async (address) => {
    const current = await currentSettings(instance, address, group);
    const request = {
      code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP,
      body: [encodeGroupSettings(group, settings, current)],
    };
    await instance.ask(address, request, () => undefined);
  });
  return done.map(({ server }) => server);
}

/** As the broker keeps it; `undefined` when it does not know the group. */
async function currentSettings(
  instance: ClientInstance,
  address: string,
  group: string,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    return await instance.ask(
      address,
      {
        code: RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG,
        header: (sink) => getSubscriptionGroupConfigRequestHeader.encode({ group }, sink),
      },
      ({ body }) => parseJsonFile(body, "SubscriptionGroupConfig").toJson(),
    );
  } catch (error) {
    // Brokers of 4.x do not know the question: there the group gets what is given and the defaults.
    const unknown = ["SUBSCRIPTION_GROUP_NOT_EXIST", "REQUEST_CODE_NOT_SUPPORTED"];
    if (error instanceof OrbitError && unknown.includes(error.code)) return undefined;
    throw error;
  }
}

/** Forbids a group to read a topic, or allows it again, on every master named (353). */
export async function forbidGroup(
  instance: ClientInstance,
  group: string,
  { topic, forbidden = true, ...target }: ForbidOptions,
): Promise<string[]> {
  checkGroup(group);
  checkTopic(topic);
  const header = { group, topic, readable: !forbidden };
  const done = await changeEach(await mastersOf(instance, target), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN,
        header: (sink) => updateGroupForbiddenRequestHeader.encode(header, sink),
      },
      ({ body }) => parseGroupReadable(body),
    ),
  );
  return done.map(({ server }) => server);
}

/** Topics a group has offsets of on any master, sorted (343). */
export async function topicsOfGroup(
  instance: ClientInstance,
  group: string,
  target: BrokerTarget,
): Promise<{ readonly topics: readonly string[]; readonly failures: readonly ServerFailure[] }> {
  checkGroup(group);
  const { answers, failures } = await lookAtEach(await allMasters(instance, target), (address) =>
    instance.ask(
      address,
      {
        code: RequestCode.QUERY_TOPICS_BY_CONSUMER,
        header: (sink) => queryTopicsByConsumerRequestHeader.encode({ group }, sink),
      },
      ({ body }) => parseTopicList(body).topicList,
    ),
  );
  return { topics: [...new Set(answers.flatMap(({ value }) => value))].sort(), failures };
}

/** Whether members pull a topic or pop it (401). Names of the brokers that did it. */
export async function setRequestMode(
  instance: ClientInstance,
  group: string,
  { topic, mode, popShareQueueNum = 0, ...target }: RequestModeOptions,
): Promise<string[]> {
  checkGroup(group);
  checkTopic(topic);
  const body = [encodeMessageRequestMode({ topic, consumerGroup: group, mode, popShareQueueNum })];
  const request = { code: RequestCode.SET_MESSAGE_REQUEST_MODE, body };
  const done = await changeEach(await mastersOf(instance, target), (address) =>
    instance.ask(address, request, () => undefined),
  );
  return done.map(({ server }) => server);
}

/** What {@link setRequestMode} has set, of one broker (402). */
export function requestModes(
  instance: ClientInstance,
  address: string,
): Promise<MessageRequestModeSetting[]> {
  const request = { code: RequestCode.GET_ALL_MESSAGE_REQUEST_MODE };
  return instance.ask(address, request, ({ body }) => parseMessageRequestModes(body));
}
