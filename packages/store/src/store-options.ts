/**
 * Every limit and interval of the store, in one table. Names and defaults are RocketMQ's (MessageStoreConfig)
 * wherever it has the setting; ours are marked. Sizes are bytes, times milliseconds.
 */
import { indexFileBytes } from "./index-file/index-layout.ts";
import { StoreError } from "./store-error.ts";

export type FlushDiskType = "SYNC_FLUSH" | "ASYNC_FLUSH";

export interface StoreOptions {
  /** storePathRootDir itself: `commitlog/`, `consumequeue/`, `abort`, … lie directly in it. */
  readonly home: string;
  /**
   * `disk` (default), or `memory` when the host's files live in this process only: the same engine with small
   * buffers, since everything is in memory already. Ours.
   */
  readonly store?: "disk" | "memory";
  /** Refuse to create a store where none is (default false). Ours. */
  readonly existing?: boolean;
  /** Start even where no kernel lock can be had (default false). Ours. */
  readonly unsafeNoLock?: boolean;
  /** What readers may see: SYNC_FLUSH (default here; RocketMQ: ASYNC_FLUSH) up to flushed, ASYNC_FLUSH up to written. */
  readonly flushDiskType?: FlushDiskType;

  /** Folders of the CommitLog, separated by `,`; default (empty) `commitlog` in `home`. */
  readonly storePathCommitLog?: string;
  /** Folders with segments that are only read: no new ones are created there. Separated by `,`; default none. */
  readonly readOnlyCommitLogStorePaths?: string;
  /** Length of a CommitLog segment; default 1 GiB. */
  readonly mappedFileSizeCommitLog?: number;
  /** Length of a ConsumeQueue file; default 6,000,000, a multiple of 20. */
  readonly mappedFileSizeConsumeQueue?: number;
  /** Largest body; default 4 MiB. */
  readonly maxMessageSize?: number;

  /** ASYNC_FLUSH: how often the log is synced; default 500. */
  readonly flushIntervalCommitLog?: number;
  /** ASYNC_FLUSH: fewer dirty pages of 4 KiB wait longer; default 4. */
  readonly flushCommitLogLeastPages?: number;
  /** ASYNC_FLUSH: the longest that dirty pages wait; default 10,000. */
  readonly flushCommitLogThoroughInterval?: number;
  /** How long an append waits for its durability before it is told `timeout`; default 5,000. */
  readonly syncFlushTimeout?: number;
  /** How often ConsumeQueues with `flushConsumeQueueLeastBytes` of log behind them are written; default 1,000. */
  readonly flushIntervalConsumeQueue?: number;
  /** The longest that ConsumeQueue units stay in memory only; default 10,000 (RocketMQ: 60,000). */
  readonly flushConsumeQueueThoroughInterval?: number;
  /** Log bytes dispatched since the last round that make the next one due; default 16 MiB. Ours. */
  readonly flushConsumeQueueLeastBytes?: number;

  /** Whether messages are indexed by their keys; default true. */
  readonly messageIndexEnable?: boolean;
  /** Slots of an IndexFile; default 5,000,000, or 65,536 in memory. Another value than before builds the index again. */
  readonly maxHashSlotNum?: number;
  /** Items of an IndexFile, the first of which is never used; default 20,000,000, or 262,144 in memory. */
  readonly maxIndexNum?: number;
  /** Items in memory beyond which the index waits, and messages are not found by key, while the disk refuses it; default 1,000,000. Ours. */
  readonly indexStallItems?: number;
  /** Messages a query by key returns at most; default 64. */
  readonly maxMsgsNumBatch?: number;

  /** Recent log kept in memory; default 32 MiB. Ours. */
  readonly hotTailBytes?: number;
  /** One pooled buffer of the hot tail; default 1 MiB. Ours. */
  readonly slabBytes?: number;
  /** Slabs that left the hot tail but are still held by readers; beyond it reads copy. Default 32 MiB. Ours. */
  readonly pinnedBytesMax?: number;
  /** Appended and not yet durable bytes beyond which appends are refused BUSY; default 64 MiB. Ours. */
  readonly unflushedBytesMax?: number;
  /** One step of zeroing ahead; default 256 KiB. Ours. */
  readonly zeroChunkBytes?: number;
  /** How far zeros run ahead of the head under traffic; default 4 MiB. Ours. */
  readonly zeroAheadBytes?: number;
  /** Cache of log blocks for catch-up reads; default 8 MiB. Ours. */
  readonly coldCacheBytes?: number;
  /** One block of it, the size of a large read; default 256 KiB. Ours. */
  readonly coldBlockBytes?: number;
  /** Cached open files: ConsumeQueue files and old segments; default 256. Ours. */
  readonly openFilesMax?: number;

  /** A pull of messages that count as in memory: bytes and messages; 262,144 and 256 (RocketMQ: 32). */
  readonly maxTransferBytesOnMessageInMemory?: number;
  readonly maxTransferCountOnMessageInMemory?: number;
  /** A pull of messages that count as on disk; 65,536 and 8. */
  readonly maxTransferBytesOnMessageInDisk?: number;
  readonly maxTransferCountOnMessageInDisk?: number;
  /** Percent of physical memory that the newest log is taken to lie in; default 40. */
  readonly accessMessageInMemoryMaxRatio?: number;
  /** ConsumeQueue bytes that one pull scans for a match; default 16,000. */
  readonly maxFilterMessageSize?: number;
  /** Hours a message is kept at least; default 72. */
  readonly fileReservedTime?: number;
  /** Hours of the day when what is older is deleted, in the machine's time zone, separated by `;`; default "04". */
  readonly deleteWhen?: string;
  /** Percent of a disk in use above which what is older is deleted at any hour; default 75 (10 to 95). */
  readonly diskMaxUsedSpaceRatio?: number;
  /** Percent above which `cleanFileForciblyEnable` acts, and below which a full disk takes messages again; default 85 (30 to 85). */
  readonly diskSpaceCleanForciblyRatio?: number;
  /** Percent above which the disk counts as full: appends are refused DISK_FULL; default 90 (35 to 90). */
  readonly diskSpaceWarningLevelRatio?: number;
  /** Delete the oldest segments of a disk that is nearly full whatever their age; default false (RocketMQ: true). */
  readonly cleanFileForciblyEnable?: boolean;
  /** How often disks and ages are looked at; default 10,000. 0: never by itself. */
  readonly cleanResourceInterval?: number;
  /** Pause between the removal of two segments; default 100. */
  readonly deleteCommitLogFilesInterval?: number;
  /** Pause between the removal of two ConsumeQueue files; default 100. */
  readonly deleteConsumeQueueFilesInterval?: number;
  /** Segments removed in one round; default 10. */
  readonly deleteFileBatchMax?: number;
  /** When a removal that failed is tried again; default 120,000. */
  readonly redeleteHangedFileInterval?: number;
  /** Space kept for offsets and other small state on a full disk; default 8 MiB, 0: none. Ours. */
  readonly spaceReserveBytes?: number;
  /** `messageDelayLevel`, needed to rebuild the queues of SCHEDULE_TOPIC_XXXX. */
  readonly messageDelayLevel?: string;
}

export type ResolvedStoreOptions = Required<StoreOptions>;

const MIB = 1024 * 1024;
/** Java maps an IndexFile as one buffer. */
const INDEX_FILE_BYTES_MAX = 0x7fffffff;

export const STORE_DEFAULTS: Omit<ResolvedStoreOptions, "home"> = {
  store: "disk",
  existing: false,
  unsafeNoLock: false,
  flushDiskType: "SYNC_FLUSH",
  storePathCommitLog: "",
  readOnlyCommitLogStorePaths: "",
  mappedFileSizeCommitLog: 1024 * MIB,
  mappedFileSizeConsumeQueue: 6_000_000,
  maxMessageSize: 4 * MIB,
  flushIntervalCommitLog: 500,
  flushCommitLogLeastPages: 4,
  flushCommitLogThoroughInterval: 10_000,
  syncFlushTimeout: 5_000,
  flushIntervalConsumeQueue: 1_000,
  flushConsumeQueueThoroughInterval: 10_000,
  flushConsumeQueueLeastBytes: 16 * MIB,
  messageIndexEnable: true,
  maxHashSlotNum: 5_000_000,
  maxIndexNum: 20_000_000,
  indexStallItems: 1_000_000,
  maxMsgsNumBatch: 64,
  hotTailBytes: 32 * MIB,
  slabBytes: MIB,
  pinnedBytesMax: 32 * MIB,
  unflushedBytesMax: 64 * MIB,
  zeroChunkBytes: 256 * 1024,
  zeroAheadBytes: 4 * MIB,
  coldCacheBytes: 8 * MIB,
  coldBlockBytes: 256 * 1024,
  openFilesMax: 256,
  maxTransferBytesOnMessageInMemory: 262_144,
  maxTransferCountOnMessageInMemory: 256,
  maxTransferBytesOnMessageInDisk: 65_536,
  maxTransferCountOnMessageInDisk: 8,
  accessMessageInMemoryMaxRatio: 40,
  maxFilterMessageSize: 16_000,
  fileReservedTime: 72,
  deleteWhen: "04",
  diskMaxUsedSpaceRatio: 75,
  diskSpaceCleanForciblyRatio: 85,
  diskSpaceWarningLevelRatio: 90,
  cleanFileForciblyEnable: false,
  cleanResourceInterval: 10_000,
  deleteCommitLogFilesInterval: 100,
  deleteConsumeQueueFilesInterval: 100,
  deleteFileBatchMax: 10,
  redeleteHangedFileInterval: 120_000,
  spaceReserveBytes: 8 * MIB,
  messageDelayLevel: "1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h",
};

/** Defaults of a store in memory, where they differ. */
const MEMORY_DEFAULTS = {
  maxHashSlotNum: 65_536,
  maxIndexNum: 262_144,
  hotTailBytes: 4 * MIB,
  slabBytes: 256 * 1024,
  zeroChunkBytes: 64 * 1024,
  zeroAheadBytes: 256 * 1024,
  coldCacheBytes: 2 * MIB,
  spaceReserveBytes: 0,
} as const;

/** Options that must be positive integers, with the smallest value each can work with. */
const MINIMUM: Partial<Record<keyof StoreOptions, number>> = {
  mappedFileSizeCommitLog: 4096,
  mappedFileSizeConsumeQueue: 20,
  maxMessageSize: 1,
  flushIntervalCommitLog: 1,
  flushCommitLogLeastPages: 0,
  flushCommitLogThoroughInterval: 1,
  syncFlushTimeout: 1,
  flushIntervalConsumeQueue: 1,
  flushConsumeQueueThoroughInterval: 1,
  flushConsumeQueueLeastBytes: 1,
  maxHashSlotNum: 1,
  maxIndexNum: 2,
  indexStallItems: 1,
  maxMsgsNumBatch: 1,
  hotTailBytes: 0,
  slabBytes: 4096,
  pinnedBytesMax: 0,
  unflushedBytesMax: 4096,
  zeroChunkBytes: 4096,
  zeroAheadBytes: 4096,
  coldCacheBytes: 4096,
  coldBlockBytes: 4096,
  openFilesMax: 4,
  maxTransferBytesOnMessageInMemory: 1,
  maxTransferCountOnMessageInMemory: 1,
  maxTransferBytesOnMessageInDisk: 1,
  maxTransferCountOnMessageInDisk: 1,
  accessMessageInMemoryMaxRatio: 1,
  maxFilterMessageSize: 20,
  fileReservedTime: 0,
  diskMaxUsedSpaceRatio: 1,
  diskSpaceCleanForciblyRatio: 1,
  diskSpaceWarningLevelRatio: 1,
  cleanResourceInterval: 0,
  deleteCommitLogFilesInterval: 0,
  deleteConsumeQueueFilesInterval: 0,
  deleteFileBatchMax: 1,
  redeleteHangedFileInterval: 1,
  spaceReserveBytes: 0,
};

/** What can change while a store is open. */
export type RuntimeStoreOptions = Partial<
  Pick<
    ResolvedStoreOptions,
    | "maxMessageSize"
    | "maxTransferCountOnMessageInMemory"
    | "maxTransferBytesOnMessageInMemory"
    | "fileReservedTime"
    | "deleteWhen"
    | "diskMaxUsedSpaceRatio"
    | "diskSpaceCleanForciblyRatio"
    | "diskSpaceWarningLevelRatio"
    | "cleanFileForciblyEnable"
    | "deleteFileBatchMax"
  >
>;

/** Fills in the defaults. Throws StoreError ILLEGAL_OPTION for a value outside its range. */
export function resolveStoreOptions(options: StoreOptions): ResolvedStoreOptions {
  const inMemory = options.store === "memory" ? MEMORY_DEFAULTS : {};
  const resolved: Record<string, unknown> = { ...STORE_DEFAULTS, ...inMemory };
  for (const [name, value] of Object.entries(options)) if (value !== undefined) resolved[name] = value;
  for (const [name, least] of Object.entries(MINIMUM)) {
    const value = resolved[name];
    if (!Number.isSafeInteger(value) || (value as number) < least) {
      throw new StoreError("ILLEGAL_OPTION", `${name} is ${String(value)}; it must be an integer ≥ ${least}`);
    }
  }
  const complete = resolved as unknown as ResolvedStoreOptions;
  if (complete.mappedFileSizeConsumeQueue % 20 !== 0) {
    throw new StoreError(
      "ILLEGAL_OPTION",
      `mappedFileSizeConsumeQueue is ${complete.mappedFileSizeConsumeQueue}; it must be a multiple of 20`,
    );
  }
  if (
    indexFileBytes({ slots: complete.maxHashSlotNum, items: complete.maxIndexNum }) > INDEX_FILE_BYTES_MAX
  ) {
    throw new StoreError(
      "ILLEGAL_OPTION",
      `maxHashSlotNum ${complete.maxHashSlotNum} and maxIndexNum ${complete.maxIndexNum} make files longer than RocketMQ can open (${INDEX_FILE_BYTES_MAX} bytes)`,
    );
  }
  return complete;
}
