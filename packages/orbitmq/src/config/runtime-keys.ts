/**
 * The configuration keys that can change while a server runs (25 and 318), and why others cannot: what a client or the
 * disk was promised at the start holds until the next one.
 */
import type { ConfigRole } from "./supported-keys.ts";

export const runtimeBrokerKeys: readonly string[] = [
  "brokerPermission",
  "autoCreateTopicEnable",
  "autoCreateSubscriptionGroup",
  "maxMessageSize",
  "longPollingEnable",
  "shortPollingTimeMills",
  "defaultQueryMaxNum",
  "maxTransferCountOnMessageInMemory",
  "maxTransferBytesOnMessageInMemory",
  "strictSubscription",
  "useServerSideResetOffset",
  "notifyConsumerIdsChangedEnable",
  "enablePropertyFilter",
  "storeReplyMessageEnable",
  "registerNameServerPeriod",
  "recallMessageEnable",
  "allowRecallWhenBrokerNotWriteable",
  "timerMaxDelaySec",
  "timerCongestNumEachSlot",
  "rejectTransactionMessage",
  "transactionTimeOut",
  "transactionCheckMax",
  "transactionCheckInterval",
  "popFromRetryProbability",
  "popInvisibleTimeMillisMax",
  "popCheckPointsMax",
  "defaultMessageRequestMode",
  "defaultPopShareQueueNum",
  "serverLoadBalancerEnable",
  "fileReservedTime",
  "deleteWhen",
  "diskMaxUsedSpaceRatio",
  "diskSpaceCleanForciblyRatio",
  "diskSpaceWarningLevelRatio",
  "cleanFileForciblyEnable",
  "deleteFileBatchMax",
];

/** Of a NameServer, in `orbitmq namesrv` and in `orbitmq server` alike. */
export const runtimeNamesrvKeys: readonly string[] = [
  "orderMessageEnable",
  "returnOrderTopicConfigToBroker",
  "enableAllTopicList",
  "enableTopicList",
];

/** Nobody changes these from afar (RocketMQ: configBlackList); answered 16. */
const BLACK_LIST: Readonly<Record<ConfigRole, readonly string[]>> = {
  broker: ["configBlackList", "brokerConfigPath"],
  namesrv: ["configBlackList", "configStorePath", "kvConfigPath", "rocketmqHome"],
};

export function isBlackListed(role: ConfigRole, key: string): boolean {
  return BLACK_LIST[role].includes(key);
}

export const isRuntimeKey = (key: string): boolean =>
  runtimeBrokerKeys.includes(key) || runtimeNamesrvKeys.includes(key);
