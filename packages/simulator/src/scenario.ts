/**
 * What one seed stands for: how large the cluster and its files are, how the network and the disks behave, how
 * much is sent. Everything is drawn from the seed; nothing else changes a run.
 */
import { SeededRandom, type SimWorldOptions } from "@orbitmq/host/sim";
import type { StoreOptions } from "@orbitmq/store";
import { type ClientModes, clientModesOf } from "./client-modes.ts";
import { type TimerMode, timerModeOf } from "./timer-mode.ts";
import { type TransactionMode, transactionModeOf } from "./transaction-mode.ts";

export interface Scenario {
  readonly seed: number;
  readonly flush: "SYNC_FLUSH" | "ASYNC_FLUSH";
  /** Sends over all producers. */
  readonly sends: number;
  /** Messages that are sent back until they are dead letters; 0 in half of the seeds. */
  readonly returns: number;
  readonly producers: number;
  readonly consumers: number;
  /** How the group of consumers works. */
  readonly group: GroupPlan;
  /** Further ways to consume, in groups of their own. */
  readonly clientModes: ClientModes;
  /** Transactions take part. */
  readonly transactions: TransactionMode | undefined;
  /** Messages for a time take part. */
  readonly timers: TimerMode | undefined;
  /** When given, all messages are equally long. */
  readonly uniformBytes: number | undefined;
  readonly topics: readonly TopicPlan[];
  /** Faults happen until then; the quiet phase follows. */
  readonly busyMs: number;
  /** Nothing fails in this seed: what is promised only then is checked, too. */
  readonly faultless: boolean;
  /** How many faults are planned, crashes included. */
  readonly faults: number;
  /** At least three, where anything fails. */
  readonly crashesMin: number;
  /** Faults of the disks, each of another kind. */
  readonly diskFaultsMin: number;
  /** How often the hours pass while a broker is down, so that messages expire. */
  readonly expiries: number;
  readonly store: Omit<StoreOptions, "home" | "flushDiskType">;
  readonly world: Omit<SimWorldOptions, "traceLine" | "onUncaught">;
}

export interface GroupPlan {
  /** Listeners run in order, and nobody else of the group has their queues. */
  readonly inOrder: boolean;
  /** Share of the messages whose listener always fails. */
  readonly poisonShare: number;
  /** How often a message that fails comes again. */
  readonly retries: number;
  /** Share of the listeners that come to no end by themselves. */
  readonly hangShare: number;
  readonly consumeTimeoutMs: number | undefined;
  /** Where nothing fails: one member leaves in its orderly way while messages come. */
  readonly leaves: boolean;
  /** Another group pops. */
  readonly pops: boolean;
  /** And one in order. */
  readonly popsInOrder: boolean;
  /** The one that pops is set back to the beginning when it has everything. */
  readonly popsAgain: boolean;
}

export interface TopicPlan {
  readonly name: string;
  /** 0: left to the broker's automatic creation. */
  readonly queues: number;
}

const KIB = 1024;
const NO_RETRY_IS_THE_LAST = 16;

export function scenarioOf(seed: number, traceContents = false): Scenario {
  const random = new SeededRandom(seed, "scenario");
  const anySegmentBytes = random.pick([16, 32, 64]) * KIB;
  const restless = random.chance(0.4);
  const faultless = random.chance(0.04);
  const expires = !faultless && random.chance(0.2);
  const segmentBytes = expires ? 16 * KIB : anySegmentBytes;
  const group = groupOf(new SeededRandom(seed, "group"), faultless);
  return {
    seed,
    group,
    clientModes: clientModesOf(seed),
    transactions: transactionModeOf(seed),
    timers: timerModeOf(seed),
    flush: random.chance(0.15) ? "ASYNC_FLUSH" : "SYNC_FLUSH",
    sends: random.between(300, 330),
    returns: random.chance(0.5) ? random.between(4, 10) : 0,
    producers: random.pick([2, 2, 3]),
    consumers: group.leaves ? 2 : random.pick([2, 2, 3]),
    uniformBytes: random.chance(0.4) ? random.between(16, 600) : undefined,
    topics: [
      { name: "orders", queues: random.between(2, 4) },
      { name: "events", queues: faultless ? 2 : 0 },
    ],
    busyMs: 30_000,
    faultless,
    faults: faultless ? 0 : random.between(5, 13),
    crashesMin: faultless ? 0 : random.pick([3, 3, 3, 4, 5]),
    diskFaultsMin: faultless ? 0 : random.between(1, 4),
    expiries: expires ? random.between(1, 3) : 0,
    store: {
      ...(expires ? { fileReservedTime: 1 } : {}),
      mappedFileSizeCommitLog: segmentBytes,
      mappedFileSizeConsumeQueue: 20 * random.pick([16, 50, 200]),
      hotTailBytes: random.pick([4, 8, 16, 64]) * KIB,
      slabBytes: random.pick([4, 8, 16]) * KIB,
      pinnedBytesMax: random.pick([16, 256]) * KIB,
      zeroChunkBytes: random.pick([4, 8]) * KIB,
      zeroAheadBytes: random.pick([8, 16]) * KIB,
      coldCacheBytes: random.pick([16, 64]) * KIB,
      coldBlockBytes: random.pick([4, 16]) * KIB,
      openFilesMax: random.pick([4, 16]),
      maxHashSlotNum: 61,
      maxIndexNum: 150,
      spaceReserveBytes: 16 * KIB,
      maxMessageSize: 12 * KIB,
      syncFlushTimeout: random.pick([300, 1_000, 5_000]),
      flushConsumeQueueLeastBytes: random.pick([4, 64]) * KIB,
    },
    world: {
      traceContents,
      network: {
        tailChance: random.pick([0, 0.01, 0.05]),
        takeDelayUs: restless ? { min: 1, max: random.pick([3_000, 20_000]) } : { min: 1, max: 60 },
        partialTakeChance: random.pick([0, 0.02, 0.2]),
        splitChance: random.pick([0, 0.05, 0.2]),
        lateWrittenChance: random.pick([0, 0.05, 0.5]),
        windowBytes: random.pick([2, 4, 16, 256]) * KIB,
      },
      disk: {
        capacityBytes: 64 * KIB * KIB,
        syncUs: random.pick([
          { min: 120, max: 400 },
          { min: 500, max: 8_000 },
        ]),
        tailChance: random.pick([0, 0.01, 0.1]),
      },
    },
  };
}

function groupOf(random: SeededRandom, faultless: boolean): GroupPlan {
  const inOrder = random.chance(0.3);
  const fails = random.chance(0.2);
  const hangs = random.chance(0.15) && !faultless;
  return {
    inOrder,
    poisonShare: fails ? 0.02 : 0,
    retries: fails ? 2 : NO_RETRY_IS_THE_LAST,
    hangShare: hangs ? 0.02 : 0,
    consumeTimeoutMs: hangs ? random.between(2_000, 8_000) : undefined,
    leaves: faultless && random.chance(0.7),
    pops: random.chance(0.2),
    popsInOrder: random.chance(0.1),
    popsAgain: random.chance(0.2),
  };
}
