/**
 * Every option and limit of a broker: RocketMQ's name and default where it has one (RocketMQ: BrokerConfig,
 * MessageStoreConfig), ours otherwise. Times are whole milliseconds, sizes bytes.
 */
import type { SocketAddress } from "@orbitmq/host";
import { type MessageStore, TIMER_WHEEL_SLOTS } from "@orbitmq/store";
import type { RpcClientOptions, RpcServerOptions } from "@orbitmq/wire";
import type { ConfigurationPort } from "./configuration-port.ts";

/** What a broker cannot do without. */
export interface BrokerEssentials {
  /** Started by the caller before `Broker.start` and stopped by the caller after `Broker.stop`. */
  readonly store: MessageStore;
  /** Where it listens; port 0 picks a free one. */
  readonly listen: SocketAddress;
  /** The NameServers it registers with, each `host:port`. Empty: none. */
  readonly namesrvAddrs: readonly string[];
  /**
   * Folder of topics.json and its like (RocketMQ: storePathRootDir/config). Absent: nothing is kept, the store
   * is one in memory, and receipts say so.
   */
  readonly configFolder?: string | undefined;
  /**
   * Folder of timerwheel, timerlog/ and config/timercheck (RocketMQ: storePathRootDir). Absent: messages for a time
   * are refused.
   */
  readonly timerHome?: string | undefined;
  /**
   * The host clients are told (RocketMQ: brokerIP1); a name is registered as given, and records carry the
   * address it resolves to. Default: `listen.host`.
   */
  readonly brokerIP1?: string | undefined;
  /** The port clients are told, where it differs from the one listened on. */
  readonly advertisedPort?: number | undefined;
  /** What administrators see and change (25, 26); absent: both are refused. */
  readonly configuration?: ConfigurationPort | undefined;
  readonly rpcServer?: RpcServerOptions | undefined;
  readonly rpcClient?: RpcClientOptions | undefined;
}

export interface BrokerTuning {
  readonly brokerName: string;
  readonly brokerClusterName: string;
  /** 0 is the master. */
  readonly brokerId: number;
  /** SYNC_FLUSH: acknowledged means on disk. ASYNC_FLUSH: in the page cache, and the receipt says `memory`. */
  readonly flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH";
  /** Whether a second listener is opened on the main port − 2; when that is taken a warning is logged. */
  readonly vipListener: boolean;
  /** Bits: 4 readable, 2 writable. */
  readonly brokerPermission: number;
  readonly autoCreateTopicEnable: boolean;
  readonly autoCreateSubscriptionGroup: boolean;
  /** Queues of TBW102, the most an auto-created topic gets. */
  readonly defaultTopicQueueNums: number;
  readonly clusterTopicEnable: boolean;
  readonly brokerTopicEnable: boolean;
  readonly regionId: string;
  readonly traceOn: boolean;
  /** Whether there is a topic for traces from birth. */
  readonly traceTopicEnable: boolean;
  readonly msgTraceTopicName: string;
  /** Longest body; a longer one is answered 13 MESSAGE_ILLEGAL. */
  readonly maxMessageSize: number;
  /** Longest property text, encoded; at most 32,767. */
  readonly propertiesBytesMax: number;
  /** Messages in one batch; more are answered 13 MESSAGE_ILLEGAL. */
  readonly batchMessagesMax: number;
  /** false: a pull that finds nothing waits `shortPollingTimeMills` instead of what it asked for. */
  readonly longPollingEnable: boolean;
  readonly shortPollingTimeMills: number;
  /** Longest time a pull is parked, whatever it asks for. */
  readonly suspendTimeoutMillisMax: number;
  /** Parked pulls at most; the next is answered 19 PULL_NOT_FOUND at once. */
  readonly parkedPullsMax: number;
  /** Most messages of one answer to a pull. RocketMQ: 32. */
  readonly maxTransferCountOnMessageInMemory: number;
  /** Messages returned when asked for one by its unique key; default 32. */
  readonly defaultQueryMaxNum: number;
  readonly maxTransferBytesOnMessageInMemory: number;
  readonly registerNameServerPeriod: number;
  /** Limit of one registration or removal at a NameServer. */
  readonly registerBrokerTimeoutMills: number;
  /** First and longest pause before a failed registration is repeated. */
  readonly registerRetryMsMin: number;
  readonly registerRetryMsMax: number;
  /** Offsets are written this long after the first change since the last write. */
  readonly flushConsumerOffsetInterval: number;
  /** `dataVersion` of the offsets advances every so many commits. */
  readonly consumerOffsetUpdateVersionStep: number;
  /** Whether replies to requests are stored in the reply topic, too, as RocketMQ does. */
  readonly storeReplyMessageEnable: boolean;
  /** Delays of the levels 1, 2, …: count and unit s, m, h or d. The store must have the same. */
  readonly messageDelayLevel: string;
  /** delayOffset.json is written this long after the first delivery since the last write. */
  readonly flushDelayOffsetInterval: number;
  /** `dataVersion` of the delay offsets advances every so many moves. */
  readonly delayOffsetUpdateVersionStep: number;
  /** false: messages for a time are answered 1. */
  readonly timerWheelEnable: boolean;
  /** How far ahead a message may be sent; further is answered 13 MESSAGE_ILLEGAL. */
  readonly timerMaxDelaySec: number;
  /** Seconds a message waits at a stretch; then it is put into the timer's queue again, before retention reaches it. */
  readonly timerRollWindowSlot: number;
  /** Wheel, log and timercheck are synced this long after the first change since the last time. */
  readonly timerFlushIntervalMs: number;
  /** Messages of one second beyond which some are answered 1, and beyond twice as many all. */
  readonly timerCongestNumEachSlot: number;
  /** Length of the files of timerlog/, bytes; a store keeps the one it was made with. */
  readonly mappedFileSizeTimerLog: number;
  /** Slots of timerwheel; anything but RocketMQ's 1,209,600 makes a store that no other broker opens. */
  readonly timerWheelSlots: number;
  /** A message that cannot be delivered for a reason of its own is tried again this often. */
  readonly timerKeptRetryMs: number;
  /** Whether messages that wait for their time can be taken back (370). */
  readonly recallMessageEnable: boolean;
  /** Whether that is so while the broker takes no messages from clients. */
  readonly allowRecallWhenBrokerNotWriteable: boolean;
  /** Refuses halves of transactions with 16; those that are here are still ended and checked. */
  readonly rejectTransactionMessage: boolean;
  /** A half is not checked before it is so old, unless it says itself how old (CHECK_IMMUNITY_TIME_IN_SECONDS). */
  readonly transactionTimeOut: number;
  /** Checks of a half at most; afterwards it is parked in TRANS_CHECK_MAX_TIME_TOPIC. */
  readonly transactionCheckMax: number;
  /** Pause between two checks of a half. */
  readonly transactionCheckInterval: number;
  /** An op record is written once it names this many bytes of offsets. */
  readonly transactionOpMsgMaxSize: number;
  /** An op record is written this long after the first transaction that it names has ended. */
  readonly transactionOpBatchInterval: number;
  /** Hours the store keeps messages: a half that is not ended by then is parked; 0: it is kept. */
  readonly fileReservedTime: number;
  /** A queue lock of ordered consumption that is not renewed for this long is free (RocketMQ: rocketmq.broker.rebalance.lockMaxLiveTime). */
  readonly rebalanceLockMaxLiveTime: number;
  /** Queue locks at most; further queues are not locked. */
  readonly rebalanceLocksMax: number;
  /** A group member not heard of for this long is removed. */
  readonly channelExpiredTimeout: number;
  /** How often members that fell silent are looked for. */
  readonly scanNotActiveChannelInterval: number;
  readonly notifyConsumerIdsChangedEnable: boolean;
  /** 222 sets the offsets here, for groups that are offline, too; else members are told to set them (as 4.x does). */
  readonly useServerSideResetOffset: boolean;
  /** A member whose subscriptions are not those of its group is refused. */
  readonly strictSubscription: boolean;
  /** Whether consumers may filter by SQL92; if not, they are answered 1. */
  readonly enablePropertyFilter: boolean;
  /** Characters of a SQL92 expression at most; beyond this and the next three it is answered 23. */
  readonly filterExpressionLengthMax: number;
  /** Comparisons, searches and IN lists of an expression at most. */
  readonly filterTermsMax: number;
  /** Parts within parts of an expression at most. */
  readonly filterDepthMax: number;
  /** Characters CONTAINS, STARTSWITH and ENDSWITH may look for. */
  readonly filterSearchLengthMax: number;
  /** A pull whose filter has worked for this long is answered with what it has. */
  readonly filterMsMax: number;
  /** A pull whose filter has looked at so many bytes of messages is answered with what it has. */
  readonly filterBytesMax: number;
  /** Filters of groups kept at most; a pull by another is answered 27 FILTER_DATA_NOT_EXIST. */
  readonly filtersMax: number;
  /** A filter whose group is gone for this long is forgotten. */
  readonly filterDataCleanTimeSpan: number;
  /** consumerFilter.json is written this long after the first change since the last write. */
  readonly flushConsumerFilterInterval: number;
  /** Queues of the revive log; of a store that has more, all are read. */
  readonly reviveQueueNum: number;
  /** Waiting pops of one group for one topic and queue at most; more are answered 209 POLLING_FULL. */
  readonly popPollingSize: number;
  /** Waiting pops at most. */
  readonly maxPopPollingSize: number;
  /** Of 100 pops so many look into the retry topic first; the others look there last. */
  readonly popFromRetryProbability: number;
  /** Pop retry topics are called `%RETRY%group+topic` instead of `%RETRY%group_topic`. */
  readonly enableRetryTopicV2: boolean;
  /** With enableRetryTopicV2: every second pop looks into the retry topic of the old name. */
  readonly retrieveMessageFromPopRetryTopicV1: boolean;
  /** A group that begins with the newest message gets all of a queue whose first message is still in memory. */
  readonly initPopOffsetByCheckMsgInMem: boolean;
  /** Longest time for which a pop or a change makes messages invisible; longer is answered 29. */
  readonly popInvisibleTimeMillisMax: number;
  /** Pops that are not acknowledged at most; beyond them a pop is answered 2 SYSTEM_BUSY. */
  readonly popCheckPointsMax: number;
  /** consumerOrderInfo.json is written this long after the first change since the last write. */
  readonly flushConsumerOrderInfoInterval: number;
  /** How groups get messages of topics for which nobody has chosen. */
  readonly defaultMessageRequestMode: "PULL" | "POP";
  /** With POP as the default: so many members' queues a member pops, too; 0: all pop all queues (RocketMQ: -1, the same). */
  readonly defaultPopShareQueueNum: number;
  /** false: who asks for its queues gets all of them. */
  readonly serverLoadBalancerEnable: boolean;
  /** Topics at most, so that a registration fits into one frame; creating another is refused: 17 on a send, 1 on 17 UPDATE_AND_CREATE_TOPIC. */
  readonly topicsMax: number;
  /** Subscription groups at most; using another is answered 26 SUBSCRIPTION_GROUP_NOT_EXIST. */
  readonly groupsMax: number;
  /** Producer groups online at most; heartbeats of others are answered, but the groups are not kept. */
  readonly producerGroupsMax: number;
  /** Queues one topic may have; more are answered 29 INVALID_PARAMETER. */
  readonly topicQueuesMax: number;
}

/** What can change while a broker runs. */
export type RuntimeBrokerTuning = Partial<
  Pick<
    BrokerTuning,
    | "brokerPermission"
    | "autoCreateTopicEnable"
    | "autoCreateSubscriptionGroup"
    | "maxMessageSize"
    | "longPollingEnable"
    | "shortPollingTimeMills"
    | "defaultQueryMaxNum"
    | "maxTransferCountOnMessageInMemory"
    | "maxTransferBytesOnMessageInMemory"
    | "strictSubscription"
    | "useServerSideResetOffset"
    | "notifyConsumerIdsChangedEnable"
    | "enablePropertyFilter"
    | "storeReplyMessageEnable"
    | "registerNameServerPeriod"
    | "recallMessageEnable"
    | "allowRecallWhenBrokerNotWriteable"
    | "timerMaxDelaySec"
    | "timerCongestNumEachSlot"
    | "rejectTransactionMessage"
    | "transactionTimeOut"
    | "transactionCheckMax"
    | "transactionCheckInterval"
    | "popFromRetryProbability"
    | "popInvisibleTimeMillisMax"
    | "popCheckPointsMax"
    | "defaultMessageRequestMode"
    | "defaultPopShareQueueNum"
    | "serverLoadBalancerEnable"
    | "fileReservedTime"
  >
>;

export type BrokerOptions = BrokerEssentials & Partial<BrokerTuning>;
export type ResolvedBrokerOptions = BrokerEssentials & BrokerTuning;

export const brokerDefaults: BrokerTuning = {
  brokerName: "broker-a",
  brokerClusterName: "DefaultCluster",
  brokerId: 0,
  flushDiskType: "SYNC_FLUSH",
  vipListener: true,
  brokerPermission: 6,
  autoCreateTopicEnable: true,
  autoCreateSubscriptionGroup: true,
  defaultTopicQueueNums: 8,
  clusterTopicEnable: true,
  brokerTopicEnable: true,
  regionId: "DefaultRegion",
  traceOn: true,
  traceTopicEnable: false,
  msgTraceTopicName: "RMQ_SYS_TRACE_TOPIC",
  maxMessageSize: 4_194_304,
  propertiesBytesMax: 32_767,
  batchMessagesMax: 65_536,
  longPollingEnable: true,
  shortPollingTimeMills: 1_000,
  suspendTimeoutMillisMax: 120_000,
  parkedPullsMax: 100_000,
  maxTransferCountOnMessageInMemory: 256,
  defaultQueryMaxNum: 32,
  maxTransferBytesOnMessageInMemory: 262_144,
  registerNameServerPeriod: 30_000,
  registerBrokerTimeoutMills: 3_000,
  registerRetryMsMin: 100,
  registerRetryMsMax: 10_000,
  flushConsumerOffsetInterval: 5_000,
  consumerOffsetUpdateVersionStep: 500,
  storeReplyMessageEnable: true,
  messageDelayLevel: "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
  flushDelayOffsetInterval: 10_000,
  delayOffsetUpdateVersionStep: 200,
  timerWheelEnable: true,
  timerMaxDelaySec: 259_200,
  timerRollWindowSlot: 172_800,
  timerFlushIntervalMs: 1_000,
  timerCongestNumEachSlot: 2_147_483_647,
  mappedFileSizeTimerLog: 104_857_600,
  timerWheelSlots: TIMER_WHEEL_SLOTS,
  timerKeptRetryMs: 60_000,
  recallMessageEnable: false,
  allowRecallWhenBrokerNotWriteable: true,
  rejectTransactionMessage: false,
  transactionTimeOut: 6_000,
  transactionCheckMax: 15,
  transactionCheckInterval: 30_000,
  transactionOpMsgMaxSize: 4_096,
  transactionOpBatchInterval: 3_000,
  fileReservedTime: 72,
  rebalanceLockMaxLiveTime: 60_000,
  rebalanceLocksMax: 1_000_000,
  channelExpiredTimeout: 120_000,
  scanNotActiveChannelInterval: 10_000,
  notifyConsumerIdsChangedEnable: true,
  useServerSideResetOffset: true,
  strictSubscription: false,
  enablePropertyFilter: true,
  filterExpressionLengthMax: 65_536,
  filterTermsMax: 512,
  filterDepthMax: 128,
  filterSearchLengthMax: 1_024,
  filterMsMax: 10,
  filterBytesMax: 16_777_216,
  filtersMax: 10_000,
  filterDataCleanTimeSpan: 86_400_000,
  flushConsumerFilterInterval: 10_000,
  reviveQueueNum: 8,
  popPollingSize: 1_024,
  maxPopPollingSize: 100_000,
  popFromRetryProbability: 20,
  enableRetryTopicV2: false,
  retrieveMessageFromPopRetryTopicV1: true,
  initPopOffsetByCheckMsgInMem: true,
  popInvisibleTimeMillisMax: 43_200_000,
  popCheckPointsMax: 500_000,
  flushConsumerOrderInfoInterval: 5_000,
  defaultMessageRequestMode: "PULL",
  defaultPopShareQueueNum: 0,
  serverLoadBalancerEnable: true,
  topicsMax: 50_000,
  groupsMax: 50_000,
  producerGroupsMax: 50_000,
  topicQueuesMax: 16_384,
};
