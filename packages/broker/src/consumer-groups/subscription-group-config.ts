/**
 * How one consumer group may consume (RocketMQ: SubscriptionGroupConfig). What this broker does not act on yet
 * (retry policies, subscriptions kept by an administrator) is carried along unread in `rest`.
 */
import type { JsonFile } from "@orbitmq/wire";

export interface SubscriptionGroupConfig {
  readonly groupName: string;
  readonly consumeEnable: boolean;
  readonly consumeFromMinEnable: boolean;
  readonly consumeBroadcastEnable: boolean;
  readonly consumeMessageOrderly: boolean;
  readonly retryQueueNums: number;
  readonly retryMaxTimes: number;
  /** The broker id clients are sent to. */
  readonly brokerId: number;
  readonly whichBrokerWhenConsumeSlowly: number;
  readonly notifyConsumerIdsChangedEnable: boolean;
  readonly groupSysFlag: number;
  readonly consumeTimeoutMinute: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** Members beyond these, as they came. */
  readonly rest: Readonly<Record<string, unknown>>;
}

/** RocketMQ's defaults. */
export function newSubscriptionGroupConfig(groupName: string): SubscriptionGroupConfig {
  return {
    groupName,
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
    attributes: {},
    rest: { groupRetryPolicy: { type: "CUSTOMIZED" } },
  };
}

export function subscriptionGroupConfigToJson({ rest, ...config }: SubscriptionGroupConfig): object {
  return { ...rest, ...config };
}

/** `name` is used when the object does not carry its own. Throws WireError JSON_MALFORMED. */
export function subscriptionGroupConfigFromJson(json: JsonFile, name?: string): SubscriptionGroupConfig {
  const groupName = json.optionalString("groupName") ?? name ?? json.string("groupName");
  const defaults = newSubscriptionGroupConfig(groupName);
  const known = new Set(Object.keys(defaults));
  const rest: Record<string, unknown> = {};
  for (const key of json.keys()) if (!known.has(key)) rest[key] = json.raw(key);
  return {
    groupName,
    consumeEnable: json.boolean("consumeEnable", defaults.consumeEnable),
    consumeFromMinEnable: json.boolean("consumeFromMinEnable", defaults.consumeFromMinEnable),
    consumeBroadcastEnable: json.boolean("consumeBroadcastEnable", defaults.consumeBroadcastEnable),
    consumeMessageOrderly: json.boolean("consumeMessageOrderly", defaults.consumeMessageOrderly),
    retryQueueNums: json.integer("retryQueueNums", defaults.retryQueueNums),
    retryMaxTimes: json.integer("retryMaxTimes", defaults.retryMaxTimes),
    brokerId: json.integer("brokerId", defaults.brokerId),
    whichBrokerWhenConsumeSlowly: json.integer(
      "whichBrokerWhenConsumeSlowly",
      defaults.whichBrokerWhenConsumeSlowly,
    ),
    notifyConsumerIdsChangedEnable: json.boolean("notifyConsumerIdsChangedEnable", true),
    groupSysFlag: json.integer("groupSysFlag", defaults.groupSysFlag),
    consumeTimeoutMinute: json.integer("consumeTimeoutMinute", defaults.consumeTimeoutMinute),
    attributes: Object.fromEntries(json.stringMap("attributes")),
    rest,
  };
}
