/**
 * From configuration keys to the options of the parts. The only place that knows both vocabularies; a test
 * checks that every supported key is read here.
 */
import type { BrokerOptions, BrokerTuning } from "@orbitmq/broker";
import type { SocketAddress } from "@orbitmq/host";
import type { NameServerOptions } from "@orbitmq/nameserver";
import type { StoreOptions } from "@orbitmq/store";
import type { Configuration } from "./config/configuration.ts";
import { RUNTIME_FILE } from "./config/runtime-file.ts";
import type { ObservingSettings } from "./observing/observing-settings.ts";
import { ServerError } from "./server-error.ts";

/** What runs in this process: NameServer and broker, or one of them. */
export type ServerRole = "server" | "namesrv" | "broker";

export interface ServerSettings {
  readonly role: ServerRole;
  /** Of role `broker` (also for `server`) or `namesrv`. */
  readonly config: Configuration;
  readonly store: "disk" | "memory";
  /** Refuse to create a store. */
  readonly existing: boolean;
  /** Go on where the machine offers no lock for the store. */
  readonly unsafeNoLock: boolean;
  /** What is exported where; absent: nothing is. */
  readonly observing?: ObservingSettings | undefined;
}

const NAMESRV_KV_CONFIG = "./namesrv/kvConfig.json";

export interface NameServerSettings {
  readonly listen: SocketAddress;
  readonly options: Omit<NameServerOptions, "kvConfigFile" | "configuration">;
  /** Where kvConfig.json is, or will be. */
  readonly kvConfigPath: string;
}

export function nameServerSettings({ role, config }: ServerSettings): NameServerSettings {
  const own = role === "namesrv";
  return {
    listen: {
      host: config.text("bindAddress"),
      port: config.number(own ? "listenPort" : "namesrvPort"),
    },
    kvConfigPath:
      config.text("kvConfigPath") ||
      (own ? NAMESRV_KV_CONFIG : `${config.text("storePathRootDir")}/config/kvConfig.json`),
    options: {
      orderMessageEnable: config.flag("orderMessageEnable"),
      returnOrderTopicConfigToBroker: config.flag("returnOrderTopicConfigToBroker"),
      enableAllTopicList: config.flag("enableAllTopicList"),
      enableTopicList: config.flag("enableTopicList"),
      rpc: { idleTimeoutMs: config.number("serverChannelMaxIdleTimeSeconds") * 1_000 },
      ...(own ? { scanNotActiveBrokerInterval: config.number("scanNotActiveBrokerInterval") } : {}),
    },
  };
}

/** Where it is kept what was changed while the server ran. */
export function runtimeFilePath(settings: Pick<ServerSettings, "role" | "config">): string {
  const { role, config } = settings;
  if (role !== "namesrv") return `${config.text("storePathRootDir")}/config/${RUNTIME_FILE}`;
  const path = config.text("kvConfigPath") || NAMESRV_KV_CONFIG;
  return `${path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "."}/${RUNTIME_FILE}`;
}

export function storeSettings({ config, store, existing, unsafeNoLock }: ServerSettings): StoreOptions {
  return {
    home: config.text("storePathRootDir"),
    store,
    existing,
    unsafeNoLock,
    storePathCommitLog: config.text("storePathCommitLog"),
    readOnlyCommitLogStorePaths: config.text("readOnlyCommitLogStorePaths"),
    flushDiskType: flushDiskType(config),
    mappedFileSizeCommitLog: config.number("mappedFileSizeCommitLog"),
    mappedFileSizeConsumeQueue: config.number("mappedFileSizeConsumeQueue"),
    messageIndexEnable: config.flag("messageIndexEnable"),
    ...(store === "memory"
      ? {}
      : { maxHashSlotNum: config.number("maxHashSlotNum"), maxIndexNum: config.number("maxIndexNum") }),
    maxMsgsNumBatch: config.number("maxMsgsNumBatch"),
    maxMessageSize: config.number("maxMessageSize"),
    flushIntervalCommitLog: config.number("flushIntervalCommitLog"),
    flushCommitLogLeastPages: config.number("flushCommitLogLeastPages"),
    flushCommitLogThoroughInterval: config.number("flushCommitLogThoroughInterval"),
    syncFlushTimeout: config.number("syncFlushTimeout"),
    flushIntervalConsumeQueue: config.number("flushIntervalConsumeQueue"),
    flushConsumeQueueThoroughInterval: config.number("flushConsumeQueueThoroughInterval"),
    hotTailBytes: config.number("hotTailBytes"),
    maxTransferBytesOnMessageInMemory: config.number("maxTransferBytesOnMessageInMemory"),
    maxTransferCountOnMessageInMemory: config.number("maxTransferCountOnMessageInMemory"),
    maxTransferBytesOnMessageInDisk: config.number("maxTransferBytesOnMessageInDisk"),
    maxTransferCountOnMessageInDisk: config.number("maxTransferCountOnMessageInDisk"),
    accessMessageInMemoryMaxRatio: config.number("accessMessageInMemoryMaxRatio"),
    maxFilterMessageSize: config.number("maxFilterMessageSize"),
    messageDelayLevel: config.text("messageDelayLevel"),
    fileReservedTime: config.number("fileReservedTime"),
    deleteWhen: config.text("deleteWhen"),
    diskMaxUsedSpaceRatio: config.number("diskMaxUsedSpaceRatio"),
    diskSpaceCleanForciblyRatio: config.number("diskSpaceCleanForciblyRatio"),
    diskSpaceWarningLevelRatio: config.number("diskSpaceWarningLevelRatio"),
    cleanFileForciblyEnable: config.flag("cleanFileForciblyEnable"),
    cleanResourceInterval: config.number("cleanResourceInterval"),
    deleteCommitLogFilesInterval: config.number("deleteCommitLogFilesInterval"),
    deleteConsumeQueueFilesInterval: config.number("deleteConsumeQueueFilesInterval"),
    deleteFileBatchMax: config.number("deleteFileBatchMax"),
    redeleteHangedFileInterval: config.number("redeleteHangedFileInterval"),
    spaceReserveBytes: store === "memory" ? 0 : config.number("spaceReserveBytes"),
  };
}

/** Everything of the broker but its store and the NameServers it registers with. */
export type BrokerSettings = Omit<BrokerOptions, "store" | "namesrvAddrs" | "brokerIP1" | "configuration"> & {
  /** --advertise as given; empty: choose. */
  readonly advertise: string;
  readonly namesrvAddrs: readonly string[];
};

export function brokerSettings({ config, store }: ServerSettings): BrokerSettings {
  const home = config.text("storePathRootDir");
  const listenPort = config.number("listenPort");
  return {
    listen: { host: config.text("bindAddress"), port: listenPort },
    advertise: config.text("brokerIP1"),
    namesrvAddrs: config.text("namesrvAddr").split(";").filter(Boolean),
    ...(store === "disk" ? { configFolder: `${home}/config` } : {}),
    ...timerOptions(config, home),
    vipListener: wantsVip(config, listenPort),
    rpcServer: { idleTimeoutMs: config.number("serverChannelMaxIdleTimeSeconds") * 1_000 },
    brokerName: config.text("brokerName"),
    brokerClusterName: config.text("brokerClusterName"),
    brokerId: config.number("brokerId"),
    flushDiskType: flushDiskType(config),
    brokerPermission: config.number("brokerPermission"),
    autoCreateTopicEnable: config.flag("autoCreateTopicEnable"),
    autoCreateSubscriptionGroup: config.flag("autoCreateSubscriptionGroup"),
    defaultTopicQueueNums: config.number("defaultTopicQueueNums"),
    clusterTopicEnable: config.flag("clusterTopicEnable"),
    brokerTopicEnable: config.flag("brokerTopicEnable"),
    regionId: config.text("regionId"),
    traceOn: config.flag("traceOn"),
    traceTopicEnable: config.flag("traceTopicEnable"),
    msgTraceTopicName: config.text("msgTraceTopicName"),
    maxMessageSize: config.number("maxMessageSize"),
    longPollingEnable: config.flag("longPollingEnable"),
    shortPollingTimeMills: config.number("shortPollingTimeMills"),
    defaultQueryMaxNum: config.number("defaultQueryMaxNum"),
    maxTransferCountOnMessageInMemory: config.number("maxTransferCountOnMessageInMemory"),
    maxTransferBytesOnMessageInMemory: config.number("maxTransferBytesOnMessageInMemory"),
    registerNameServerPeriod: config.number("registerNameServerPeriod"),
    registerBrokerTimeoutMills: config.number("registerBrokerTimeoutMills"),
    flushConsumerOffsetInterval: config.number("flushConsumerOffsetInterval"),
    consumerOffsetUpdateVersionStep: config.number("consumerOffsetUpdateVersionStep"),
    storeReplyMessageEnable: config.flag("storeReplyMessageEnable"),
    useServerSideResetOffset: config.flag("useServerSideResetOffset"),
    enablePropertyFilter: config.flag("enablePropertyFilter"),
    filterDataCleanTimeSpan: config.number("filterDataCleanTimeSpan"),
    strictSubscription: config.flag("strictSubscription"),
    ...popOptions(config),
    ...transactionOptions(config),
    messageDelayLevel: config.text("messageDelayLevel"),
    flushDelayOffsetInterval: config.number("flushDelayOffsetInterval"),
    delayOffsetUpdateVersionStep: config.number("delayOffsetUpdateVersionStep"),
    channelExpiredTimeout: config.number("channelExpiredTimeout"),
    notifyConsumerIdsChangedEnable: config.flag("notifyConsumerIdsChangedEnable"),
  };
}

function timerOptions(config: Configuration, home: string): Partial<BrokerOptions> {
  // A message is put into the log again before retention removes it: after two thirds of the time, or an hour.
  const reservedSec = Math.max(3_600, config.number("fileReservedTime") * 2_400);
  return {
    timerHome: home,
    timerWheelEnable: config.flag("timerWheelEnable"),
    timerMaxDelaySec: config.number("timerMaxDelaySec"),
    timerRollWindowSlot: Math.min(config.number("timerRollWindowSlot"), reservedSec),
    timerFlushIntervalMs: config.number("timerFlushIntervalMs"),
    timerCongestNumEachSlot: config.number("timerCongestNumEachSlot"),
    mappedFileSizeTimerLog: config.number("mappedFileSizeTimerLog"),
    recallMessageEnable: config.flag("recallMessageEnable"),
    allowRecallWhenBrokerNotWriteable: config.flag("allowRecallWhenBrokerNotWriteable"),
  };
}

function transactionOptions(config: Configuration): Partial<BrokerTuning> {
  return {
    rejectTransactionMessage: config.flag("rejectTransactionMessage"),
    transactionTimeOut: config.number("transactionTimeOut"),
    transactionCheckMax: config.number("transactionCheckMax"),
    transactionCheckInterval: config.number("transactionCheckInterval"),
    transactionOpMsgMaxSize: config.number("transactionOpMsgMaxSize"),
    transactionOpBatchInterval: config.number("transactionOpBatchInterval"),
    fileReservedTime: config.number("fileReservedTime"),
  };
}

function popOptions(config: Configuration): Partial<BrokerTuning> {
  return {
    reviveQueueNum: config.number("reviveQueueNum"),
    popPollingSize: config.number("popPollingSize"),
    maxPopPollingSize: config.number("maxPopPollingSize"),
    popFromRetryProbability: config.number("popFromRetryProbability"),
    enableRetryTopicV2: config.flag("enableRetryTopicV2"),
    retrieveMessageFromPopRetryTopicV1: config.flag("retrieveMessageFromPopRetryTopicV1"),
    initPopOffsetByCheckMsgInMem: config.flag("initPopOffsetByCheckMsgInMem"),
    popInvisibleTimeMillisMax: config.number("popInvisibleTimeMillisMax"),
    popCheckPointsMax: config.number("popCheckPointsMax"),
    defaultMessageRequestMode: config.text("defaultMessageRequestMode") === "POP" ? "POP" : "PULL",
    defaultPopShareQueueNum: Math.max(0, config.number("defaultPopShareQueueNum")),
    serverLoadBalancerEnable: config.flag("serverLoadBalancerEnable"),
  };
}

const flushDiskType = (config: Configuration): "SYNC_FLUSH" | "ASYNC_FLUSH" =>
  config.text("flushDiskType") === "ASYNC_FLUSH" ? "ASYNC_FLUSH" : "SYNC_FLUSH";

/** Clients compute the VIP port as the broker's − 2, so there is nothing to choose but whether it is there. */
function wantsVip(config: Configuration, listenPort: number): boolean {
  const { value, where } = config.sourceOf("vipListenPort");
  if (value === "") return true;
  if (value === 0) return false;
  if (listenPort !== 0 && value === listenPort - 2) return true;
  throw new ServerError(
    "CONFIG_INVALID",
    `${where}: vipListenPort = "${value}": expected 0 for none; clients look for it at the broker's port − 2 only`,
  );
}
