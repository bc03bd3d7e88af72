/**
 * The configuration keys that do something, under RocketMQ's names. Where a default differs from RocketMQ's,
 * `rocketmqDefault` says so (and docs/differences.md why). The few keys RocketMQ does not have are marked `own`.
 */

import { metricsKeys, namesrvMetricsKeys } from "./metrics-keys.ts";
import { nameServerKeys } from "./namesrv-keys.ts";
import { timerKeys } from "./timer-keys.ts";
import {
  addressList,
  brokerName,
  flag,
  hostName,
  hours,
  integer,
  nonEmpty,
  oneOf,
  port,
  portOrNone,
  text,
  type ValueKind,
} from "./value-kinds.ts";

/** Which process reads a file: broker.conf (also by `orbitmq server`) or namesrv.conf. */
export type ConfigRole = "broker" | "namesrv";

export interface SupportedKey {
  readonly key: string;
  readonly kind: ValueKind;
  readonly default: string;
  readonly description: string;
  readonly rocketmqDefault?: string;
  readonly own?: true;
}

const ONE_YEAR_MS = 365 * 24 * 3_600_000;

export const supportedBrokerKeys: readonly SupportedKey[] = [
  {
    key: "brokerClusterName",
    kind: brokerName,
    default: "DefaultCluster",
    description: "The cluster this broker belongs to. Flag `--cluster`.",
  },
  {
    key: "brokerName",
    kind: brokerName,
    default: "broker-a",
    rocketmqDefault: "the machine's host name",
    description: "The broker's name in routes. Flag `--broker-name`.",
  },
  {
    key: "brokerId",
    kind: oneOf("0"),
    default: "0",
    description: "0 is the master, and there are only masters until replication exists.",
  },
  {
    key: "bindAddress",
    kind: hostName,
    default: "127.0.0.1",
    rocketmqDefault: "0.0.0.0",
    description: "The address NameServer and broker listen on. Flag `--host`.",
  },
  {
    key: "brokerIP1",
    kind: hostName,
    default: "",
    rocketmqDefault: "the first non-loopback address",
    description:
      "The host name or address clients are told; empty: `bindAddress`, or the first non-loopback address when that is 0.0.0.0 or ::. A name is registered as given. Flag `--advertise`.",
  },
  {
    key: "listenPort",
    kind: port,
    default: "10911",
    description: "The broker's port; 0 picks a free one. Flag `--broker-port`.",
  },
  {
    key: "vipListenPort",
    kind: portOrNone,
    default: "",
    own: true,
    description:
      "The broker's second port (RocketMQ: VIP channel, always listenPort − 2); empty: listenPort − 2, 0: none. Taken: a warning, and the broker starts without. Flag `--vip-port`.",
  },
  {
    key: "namesrvPort",
    kind: port,
    default: "9876",
    own: true,
    description: "The NameServer's port in `orbitmq server`; 0 picks a free one. Flag `--namesrv-port`.",
  },
  {
    key: "namesrvAddr",
    kind: addressList,
    default: "",
    description:
      "NameServers to register with, separated by `;`. `orbitmq server` registers with its own one besides. Environment `NAMESRV_ADDR`; flag `--namesrv`.",
  },
  {
    key: "storePathRootDir",
    kind: nonEmpty,
    default: "./data",
    rocketmqDefault: "~/store",
    description: "The store's folder, laid out as RocketMQ's. Flag `--home`.",
  },
  {
    key: "storePathCommitLog",
    kind: text,
    default: "",
    rocketmqDefault: "commitlog in storePathRootDir",
    description:
      "The CommitLog's folders, separated by `,`; empty: `commitlog` in storePathRootDir. New segments go to them in turn.",
  },
  {
    key: "readOnlyCommitLogStorePaths",
    kind: text,
    default: "",
    description: "Folders with segments of the CommitLog that get no new ones, separated by `,`.",
  },
  {
    key: "flushDiskType",
    kind: oneOf("SYNC_FLUSH", "ASYNC_FLUSH"),
    default: "SYNC_FLUSH",
    rocketmqDefault: "ASYNC_FLUSH",
    description:
      "SYNC_FLUSH acknowledges a message when the disk has it; ASYNC_FLUSH when the page cache has it (a crash of the machine loses the last moments).",
  },
  {
    key: "syncFlushTimeout",
    kind: integer(1, 3_600_000, "ms"),
    default: "5000",
    description: "How long a send waits for the disk before it is answered FLUSH_DISK_TIMEOUT.",
  },
  {
    key: "flushIntervalCommitLog",
    kind: integer(1, 60_000, "ms"),
    default: "500",
    description: "Under ASYNC_FLUSH, how often the log is synced; it is earlier when 8 MiB wait.",
  },
  {
    key: "flushCommitLogLeastPages",
    kind: integer(0, 1_000_000, "pages of 4 KiB"),
    default: "4",
    description: "Under ASYNC_FLUSH, fewer dirty pages wait for flushCommitLogThoroughInterval.",
  },
  {
    key: "flushCommitLogThoroughInterval",
    kind: integer(1, 3_600_000, "ms"),
    default: "10000",
    description: "Under ASYNC_FLUSH, the longest that anything waits for a sync.",
  },
  {
    key: "flushIntervalConsumeQueue",
    kind: integer(1, 3_600_000, "ms"),
    default: "1000",
    description: "How often ConsumeQueues are looked at for writing.",
  },
  {
    key: "flushConsumeQueueThoroughInterval",
    kind: integer(1, 3_600_000, "ms"),
    default: "10000",
    rocketmqDefault: "60000",
    description:
      "The longest that ConsumeQueue entries stay in memory only (they can be rebuilt from the log).",
  },
  {
    key: "mappedFileSizeCommitLog",
    kind: integer(65_536, 1_073_741_824, "bytes"),
    default: "1073741824",
    description: "Length of one CommitLog file. Must stay what the store was created with.",
  },
  {
    key: "mappedFileSizeConsumeQueue",
    kind: integer(20, 600_000_000, "bytes, a multiple of 20"),
    default: "6000000",
    description: "Length of one ConsumeQueue file. Must stay what the store was created with.",
  },
  {
    key: "messageIndexEnable",
    kind: flag,
    default: "true",
    description: "Whether messages can be found by KEYS, UNIQ_KEY and TAGS.",
  },
  {
    key: "maxHashSlotNum",
    kind: integer(1, 100_000_000, "slots"),
    default: "5000000",
    description:
      "Hash slots of an IndexFile. Another value than before has the index built again at the start.",
  },
  {
    key: "maxIndexNum",
    kind: integer(2, 100_000_000, "items"),
    default: "20000000",
    description: "Items of an IndexFile. Another value than before has the index built again at the start.",
  },
  {
    key: "maxMsgsNumBatch",
    kind: integer(1, 1_024),
    default: "64",
    description: "Messages that a query by key returns at most.",
  },
  {
    key: "defaultQueryMaxNum",
    kind: integer(1, 1_024),
    default: "32",
    description: "Messages that are looked for when a client asks for one by its unique key.",
  },
  {
    key: "maxMessageSize",
    kind: integer(1, 16_777_216, "bytes"),
    default: "4194304",
    description: "The largest message body.",
  },
  {
    key: "autoCreateTopicEnable",
    kind: flag,
    default: "true",
    description: "Whether sending to an unknown topic creates it.",
  },
  {
    key: "defaultTopicQueueNums",
    kind: integer(1, 65_536),
    default: "8",
    description: "Most queues a topic gets when a send creates it.",
  },
  {
    key: "registerNameServerPeriod",
    kind: integer(1_000, ONE_YEAR_MS, "ms"),
    default: "30000",
    description: "How often the broker registers with its NameServers (RocketMQ clamps to 10,000–60,000).",
  },
  {
    key: "flushConsumerOffsetInterval",
    kind: integer(100, 3_600_000, "ms"),
    default: "5000",
    description: "How often consumer offsets are written to config/consumerOffset.json.",
  },
  {
    key: "brokerPermission",
    kind: oneOf("2", "4", "6"),
    default: "6",
    description: "What clients may do: 4 read, 2 write, 6 both.",
  },
  {
    key: "autoCreateSubscriptionGroup",
    kind: flag,
    default: "true",
    description: "Whether consuming with an unknown group creates it.",
  },
  {
    key: "clusterTopicEnable",
    kind: flag,
    default: "true",
    description: "Whether there is a topic with the cluster's name.",
  },
  {
    key: "brokerTopicEnable",
    kind: flag,
    default: "true",
    description: "Whether there is a topic with the broker's name.",
  },
  {
    key: "regionId",
    kind: nonEmpty,
    default: "DefaultRegion",
    description: "The region named in every send receipt.",
  },
  {
    key: "traceOn",
    kind: flag,
    default: "true",
    description: "Whether clients are told that they may trace.",
  },
  {
    key: "traceTopicEnable",
    kind: flag,
    default: "false",
    description: "Whether there is a topic for the clients' message traces, of one queue, from the start.",
  },
  {
    key: "msgTraceTopicName",
    kind: nonEmpty,
    default: "RMQ_SYS_TRACE_TOPIC",
    description: "Its name.",
  },
  {
    key: "longPollingEnable",
    kind: flag,
    default: "true",
    description: "Whether a pull that finds nothing waits for as long as it asks to.",
  },
  {
    key: "shortPollingTimeMills",
    kind: integer(1, 60_000, "ms"),
    default: "1000",
    description: "How long such a pull waits when longPollingEnable is false.",
  },
  {
    key: "maxTransferCountOnMessageInMemory",
    kind: integer(1, 100_000),
    default: "256",
    rocketmqDefault: "32",
    description: "Most messages one pull is answered with, as far as it asks for them.",
  },
  {
    key: "maxTransferBytesOnMessageInMemory",
    kind: integer(1, 16_777_216, "bytes"),
    default: "262144",
    description: "Most bytes one pull is answered with (one message is always sent).",
  },
  {
    key: "maxTransferCountOnMessageInDisk",
    kind: integer(1, 100_000),
    default: "8",
    description: "The same for messages that are no longer in memory.",
  },
  {
    key: "maxTransferBytesOnMessageInDisk",
    kind: integer(1, 16_777_216, "bytes"),
    default: "65536",
    description: "The same for messages that are no longer in memory.",
  },
  {
    key: "accessMessageInMemoryMaxRatio",
    kind: integer(1, 100, "percent"),
    default: "40",
    description: "Share of the machine's memory that the newest part of the log is taken to lie in.",
  },
  {
    key: "maxFilterMessageSize",
    kind: integer(20, 100_000_000, "bytes"),
    default: "16000",
    description: "ConsumeQueue bytes one pull looks through for a matching tag.",
  },
  {
    key: "messageDelayLevel",
    kind: nonEmpty,
    default: "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
    description:
      "Delays of the levels 1, 2, …: count and unit s, m, h or d. A message with a higher level takes the last.",
  },
  {
    key: "flushDelayOffsetInterval",
    kind: integer(1, 3_600_000, "ms"),
    default: "10000",
    description: "delayOffset.json is written this long after delayed messages were delivered.",
  },
  {
    key: "delayOffsetUpdateVersionStep",
    kind: integer(1, 1_000_000_000),
    default: "200",
    description: "Moves after which the delay offsets' dataVersion advances.",
  },
  ...metricsKeys,
  ...timerKeys,
  {
    key: "hotTailBytes",
    kind: integer(0, 17_179_869_184, "bytes"),
    default: "33554432",
    own: true,
    description: "Recent log kept in memory; pulls of it never touch the disk.",
  },
  {
    key: "fileReservedTime",
    kind: integer(0, 876_000, "hours"),
    default: "72",
    description:
      "How long messages are kept at least: the CommitLog's segments older than that are deleted, consumed or not.",
  },
  {
    key: "deleteWhen",
    kind: hours,
    default: "04",
    description: "The hours in which old segments are deleted, in the machine's time zone, separated by `;`.",
  },
  {
    key: "diskMaxUsedSpaceRatio",
    kind: integer(1, 100, "percent"),
    default: "75",
    description:
      "Above this use of the disk segments older than fileReservedTime are deleted at any hour (10 to 95 counts).",
  },
  {
    key: "diskSpaceCleanForciblyRatio",
    kind: integer(1, 100, "percent"),
    default: "85",
    description:
      "Above this use cleanFileForciblyEnable acts; below it a full disk takes messages again (30 to 85 counts).",
  },
  {
    key: "diskSpaceWarningLevelRatio",
    kind: integer(1, 100, "percent"),
    default: "90",
    description: "Above this use sends are refused; reads and offset commits go on (35 to 90 counts).",
  },
  {
    key: "cleanFileForciblyEnable",
    kind: flag,
    default: "false",
    rocketmqDefault: "true",
    description: "Whether a disk that is nearly full has its oldest segments deleted whatever their age.",
  },
  {
    key: "cleanResourceInterval",
    kind: integer(0, ONE_YEAR_MS, "ms"),
    default: "10000",
    description: "How often disks and ages are looked at; 0: nothing is deleted or refused by itself.",
  },
  {
    key: "deleteCommitLogFilesInterval",
    kind: integer(0, 3_600_000, "ms"),
    default: "100",
    description: "The pause between two segments that are deleted.",
  },
  {
    key: "deleteConsumeQueueFilesInterval",
    kind: integer(0, 3_600_000, "ms"),
    default: "100",
    description: "The pause between two ConsumeQueue files that are deleted.",
  },
  {
    key: "deleteFileBatchMax",
    kind: integer(1, 1_000_000),
    default: "10",
    description: "Segments deleted in one round at most.",
  },
  {
    key: "redeleteHangedFileInterval",
    kind: integer(1, ONE_YEAR_MS, "ms"),
    default: "120000",
    description: "When a deletion that failed is tried again.",
  },
  {
    key: "spaceReserveBytes",
    kind: integer(0, 1_099_511_627_776, "bytes"),
    default: "8388608",
    own: true,
    description:
      "Space kept on the store's disk for offsets and other small state, should it fill up; 0: none.",
  },
  {
    key: "registerBrokerTimeoutMills",
    kind: integer(1, 600_000, "ms"),
    default: "3000",
    rocketmqDefault: "24000",
    description: "How long one registration at a NameServer may take.",
  },
  {
    key: "consumerOffsetUpdateVersionStep",
    kind: integer(1, 1_000_000_000),
    default: "500",
    description: "Commits after which the offsets' dataVersion advances.",
  },
  {
    key: "channelExpiredTimeout",
    kind: integer(1_000, ONE_YEAR_MS, "ms"),
    default: "120000",
    description: "A group member not heard of for this long is removed.",
  },
  {
    key: "notifyConsumerIdsChangedEnable",
    kind: flag,
    default: "true",
    description: "Whether group members are told when one comes or goes.",
  },
  {
    key: "storeReplyMessageEnable",
    kind: flag,
    default: "true",
    description: "Whether replies to requests are stored in the reply topic, too.",
  },
  {
    key: "useServerSideResetOffset",
    kind: flag,
    default: "true",
    description:
      "Whether the broker sets a group's offsets itself when they are reset; else its members are told to.",
  },
  {
    key: "enablePropertyFilter",
    kind: flag,
    default: "true",
    rocketmqDefault: "false",
    description: "Whether consumers may filter by SQL92 expressions over message properties.",
  },
  {
    key: "filterDataCleanTimeSpan",
    kind: integer(1_000, ONE_YEAR_MS, "ms"),
    default: "86400000",
    description: "A SQL92 filter whose group is gone for this long is forgotten.",
  },
  {
    key: "strictSubscription",
    kind: flag,
    default: "false",
    own: true,
    description: "Whether a consumer that subscribes to something else than its group is kept out of it.",
  },
  {
    key: "rejectTransactionMessage",
    kind: flag,
    default: "false",
    description: "Refuses halves of transactions; those that are here are still ended and checked.",
  },
  {
    key: "transactionTimeOut",
    kind: integer(1, 2_147_483_647, "ms"),
    default: "6000",
    description: "A half of a transaction is not checked before it is so old.",
  },
  {
    key: "transactionCheckMax",
    kind: integer(0, 1_000_000),
    default: "15",
    description: "Checks of a half at most; afterwards it is parked in TRANS_CHECK_MAX_TIME_TOPIC.",
  },
  {
    key: "transactionCheckInterval",
    kind: integer(100, ONE_YEAR_MS, "ms"),
    default: "30000",
    description: "Pause between two checks of a half.",
  },
  {
    key: "transactionOpMsgMaxSize",
    kind: integer(16, 1_048_576, "bytes"),
    default: "4096",
    description: "The ends of transactions are written down once they take so many bytes.",
  },
  {
    key: "transactionOpBatchInterval",
    kind: integer(0, 60_000, "ms"),
    default: "3000",
    description: "The ends of transactions are written down so long after the first of them.",
  },
  {
    key: "reviveQueueNum",
    kind: integer(1, 1_024),
    default: "8",
    description: "Queues of the log that keeps what is popped and not acknowledged.",
  },
  {
    key: "popPollingSize",
    kind: integer(1, 1_000_000),
    default: "1024",
    description: "Pops of one group that may wait for messages of one topic and queue.",
  },
  {
    key: "maxPopPollingSize",
    kind: integer(1, 10_000_000),
    default: "100000",
    description: "Pops that may wait in all.",
  },
  {
    key: "popFromRetryProbability",
    kind: integer(0, 100),
    default: "20",
    description:
      "Of 100 pops so many look for messages that come again first; the others look for them last.",
  },
  {
    key: "enableRetryTopicV2",
    kind: flag,
    default: "false",
    description:
      "Whether retry topics of POP are called `%RETRY%group+topic` instead of `%RETRY%group_topic`.",
  },
  {
    key: "retrieveMessageFromPopRetryTopicV1",
    kind: flag,
    default: "true",
    description:
      "With `enableRetryTopicV2`: whether every second pop looks into the retry topic of the old name.",
  },
  {
    key: "initPopOffsetByCheckMsgInMem",
    kind: flag,
    default: "true",
    description:
      "Whether a new group that pops from the newest message on gets all of a queue whose first message is still in memory.",
  },
  {
    key: "popInvisibleTimeMillisMax",
    kind: integer(1_000, ONE_YEAR_MS, "ms"),
    default: "43200000",
    own: true,
    description: "For how long a pop may make messages invisible; longer is refused.",
  },
  {
    key: "popCheckPointsMax",
    kind: integer(1, 100_000_000),
    default: "500000",
    own: true,
    description: "Pops that may be without acknowledgement in all; about 500 bytes of memory each.",
  },
  {
    key: "defaultMessageRequestMode",
    kind: oneOf("PULL", "POP"),
    default: "PULL",
    description:
      "How groups that leave their rebalance to the broker get messages of topics for which nobody has chosen.",
  },
  {
    key: "defaultPopShareQueueNum",
    kind: integer(-1, 1_000_000),
    default: "-1",
    description:
      "With POP as the default: of so many members a member pops the queues, too; -1 or 0: all pop all.",
  },
  {
    key: "serverLoadBalancerEnable",
    kind: flag,
    default: "true",
    description: "Whether the broker shares queues among those who ask it for theirs; else they get all.",
  },
  {
    key: "serverChannelMaxIdleTimeSeconds",
    kind: integer(1, 31_536_000, "seconds"),
    default: "120",
    description: "A connection without traffic for this long is closed.",
  },
  ...nameServerKeys,
];

export const supportedNamesrvKeys: readonly SupportedKey[] = [
  {
    key: "bindAddress",
    kind: hostName,
    default: "127.0.0.1",
    rocketmqDefault: "0.0.0.0",
    description: "The address the NameServer listens on. Flag `--host`.",
  },
  {
    key: "listenPort",
    kind: port,
    default: "9876",
    description: "The NameServer's port; 0 picks a free one. Flag `--namesrv-port`.",
  },
  {
    key: "scanNotActiveBrokerInterval",
    kind: integer(100, 3_600_000, "ms"),
    default: "5000",
    description: "How often brokers that fell silent are looked for.",
  },
  {
    key: "serverChannelMaxIdleTimeSeconds",
    kind: integer(1, 31_536_000, "seconds"),
    default: "120",
    description: "A connection without traffic for this long is closed.",
  },
  ...nameServerKeys,
  ...namesrvMetricsKeys,
];
