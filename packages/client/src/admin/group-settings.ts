/**
 * How a consumer group may consume (RocketMQ: SubscriptionGroupConfig), as brokers keep it. What this client has no
 * name for (retry policies, …) is read and written back as it came, so that changing one setting keeps the others.
 */
import { encodeFastjson, type JsonFile, parseJsonFile } from "@orbitmq/wire";

export interface GroupSettings {
  /** Members may consume. Default true. */
  readonly consumeEnable: boolean;
  /** A group without offsets may begin at the first message. Default true. */
  readonly consumeFromMinEnable: boolean;
  /** Members may each consume everything. Default true. */
  readonly consumeBroadcastEnable: boolean;
  /** For POP: messages are given out in order. Default false. */
  readonly consumeMessageOrderly: boolean;
  /** Queues of the group's retry topic. Default 1. */
  readonly retryQueueNums: number;
  /** Deliveries before a message becomes a dead letter. Default 16. */
  readonly retryMaxTimes: number;
  /** The broker id clients read from. Default 0, the master. */
  readonly brokerId: number;
  /** The broker id clients are sent to when they are far behind. Default 1. */
  readonly whichBrokerWhenConsumeSlowly: number;
  /** Members hear at once when one comes or goes. Default true. */
  readonly notifyConsumerIdsChangedEnable: boolean;
  readonly groupSysFlag: number;
  /** Minutes a listener may take. Default 15. */
  readonly consumeTimeoutMinute: number;
}

/** On one broker. */
export interface BrokerGroupSettings extends GroupSettings {
  readonly group: string;
  readonly brokerName: string;
  /** Topics the group may not read there, sorted. */
  readonly forbiddenTopics: readonly string[];
}

export const groupDefaults: GroupSettings = {
  consumeEnable: true,
  consumeFromMinEnable: true,
  consumeBroadcastEnable: true,
  consumeMessageOrderly: false,
  retryQueueNums: 1,
  retryMaxTimes: 16,
  brokerId: 0,
  whichBrokerWhenConsumeSlowly: 1,
  notifyConsumerIdsChangedEnable: true,
  groupSysFlag: 0,
  consumeTimeoutMinute: 15,
};

const FORBIDDEN_READ = 4;

/** What is written when a group is new; `current`: its JSON as the broker keeps it. */
export function encodeGroupSettings(
  group: string,
  settings: Partial<GroupSettings>,
  current: Readonly<Record<string, unknown>> | undefined,
): Uint8Array {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  return encodeFastjson({ ...(current ?? groupDefaults), ...given, groupName: group });
}

/** Throws WireError JSON_MALFORMED. */
export function groupSettingsFromJson(json: JsonFile): GroupSettings {
  const flag = (name: keyof GroupSettings) => json.boolean(name, groupDefaults[name] === true);
  const number = (name: keyof GroupSettings) => json.integer(name, Number(groupDefaults[name]));
  return {
    consumeEnable: flag("consumeEnable"),
    consumeFromMinEnable: flag("consumeFromMinEnable"),
    consumeBroadcastEnable: flag("consumeBroadcastEnable"),
    consumeMessageOrderly: flag("consumeMessageOrderly"),
    retryQueueNums: number("retryQueueNums"),
    retryMaxTimes: number("retryMaxTimes"),
    brokerId: number("brokerId"),
    whichBrokerWhenConsumeSlowly: number("whichBrokerWhenConsumeSlowly"),
    notifyConsumerIdsChangedEnable: flag("notifyConsumerIdsChangedEnable"),
    groupSysFlag: number("groupSysFlag"),
    consumeTimeoutMinute: number("consumeTimeoutMinute"),
  };
}

/** Every group of a broker, by name (the body of 201). Throws WireError JSON_MALFORMED. */
export function parseGroupTable(body: Uint8Array, brokerName: string): BrokerGroupSettings[] {
  const json = parseJsonFile(body, "SubscriptionGroupWrapper");
  const forbidden = json.object("forbiddenTable");
  return json
    .object("subscriptionGroupTable")
    .objects()
    .map(([group, settings]) => {
      const topics = forbidden.object(group);
      const forbiddenTopics = topics
        .keys()
        .filter((topic) => (topics.integer(topic, 0) & FORBIDDEN_READ) !== 0)
        .sort();
      return { group, brokerName, ...groupSettingsFromJson(settings), forbiddenTopics };
    })
    .sort((a, b) => (a.group < b.group ? -1 : 1));
}
