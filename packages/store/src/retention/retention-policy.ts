/**
 * What may be deleted, and when: the decisions of retention, without any disk (RocketMQ: CleanCommitLogService).
 *
 *   due      the hour is one of deleteWhen, a disk is above diskMaxUsedSpaceRatio, or somebody asked
 *   expired  a segment whose newest message is older than fileReservedTime
 *   forced   above diskSpaceCleanForciblyRatio the oldest segments go whatever their age, but only with
 *            cleanFileForciblyEnable, which is off here
 *   full     above diskSpaceWarningLevelRatio sends are refused, until it is below diskSpaceCleanForciblyRatio
 *
 * A segment's age is told by two witnesses, the store time of its newest message and the file's time of last
 * change; the younger one counts. A witness that lies in the future is not believed (the clock was wrong when it
 * was written); a segment without any is kept.
 */
import { StoreError } from "../store-error.ts";
import type { ResolvedStoreOptions } from "../store-options.ts";

export interface RetentionRules {
  readonly reservedMs: number;
  /** Hours of the day, 0 to 23. */
  readonly deleteWhen: readonly number[];
  /** Shares of a disk, 0 to 1, ascending. */
  readonly maxUsedRatio: number;
  readonly cleanForciblyRatio: number;
  readonly warningLevelRatio: number;
  readonly cleanForcibly: boolean;
  /** Segments removed in one round at most. */
  readonly batchMax: number;
}

const HOUR_MS = 3_600_000;

/** RocketMQ clamps the ratios: 10–95, 30–85, 35–90. Throws StoreError ILLEGAL_OPTION. */
export function retentionRules(options: ResolvedStoreOptions): RetentionRules {
  const ratio = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most) / 100;
  return {
    reservedMs: options.fileReservedTime * HOUR_MS,
    deleteWhen: parseHours(options.deleteWhen),
    maxUsedRatio: ratio(options.diskMaxUsedSpaceRatio, 10, 95),
    cleanForciblyRatio: ratio(options.diskSpaceCleanForciblyRatio, 30, 85),
    warningLevelRatio: ratio(options.diskSpaceWarningLevelRatio, 35, 90),
    cleanForcibly: options.cleanFileForciblyEnable,
    batchMax: options.deleteFileBatchMax,
  };
}

function parseHours(deleteWhen: string): number[] {
  return deleteWhen.split(";").map((text) => {
    const hour = Number(text.trim());
    if (/^\d{1,2}$/.test(text.trim()) && hour <= 23) return hour;
    throw new StoreError(
      "ILLEGAL_OPTION",
      `deleteWhen is "${deleteWhen}"; hours from 00 to 23, separated by ;`,
    );
  });
}

export interface DiskUse {
  readonly folder: string;
  /** 0 to 1. */
  readonly usedRatio: number;
}

export interface SpaceVerdict {
  /** Why sends are refused; `undefined` when they are not. */
  readonly full: DiskUse | undefined;
  readonly isAboveMax: boolean;
  readonly isAboveForcibly: boolean;
  /** Log folders that get no new segments while others can. */
  readonly fullFolders: readonly string[];
}

/** The log counts as full when all its folders are; the disk of queues and small state counts by itself. */
export function judgeSpace(
  rules: RetentionRules,
  logFolders: readonly DiskUse[],
  home: DiskUse,
  wasFull: boolean,
): SpaceVerdict {
  const freest = logFolders.reduce((best, each) => (each.usedRatio < best.usedRatio ? each : best));
  const worst = freest.usedRatio >= home.usedRatio ? freest : home;
  const limit = wasFull ? rules.cleanForciblyRatio : rules.warningLevelRatio;
  return {
    full: worst.usedRatio > limit ? worst : undefined,
    isAboveMax: worst.usedRatio > rules.maxUsedRatio,
    isAboveForcibly: worst.usedRatio > rules.cleanForciblyRatio,
    fullFolders: logFolders
      .filter(({ usedRatio }) => usedRatio > rules.cleanForciblyRatio)
      .map(({ folder }) => folder),
  };
}

export interface SegmentTimes {
  /** Store time of the newest message in it, or a little later; `undefined` when not known. */
  readonly newestMs: number | undefined;
  /** When the file was last changed. */
  readonly modifiedMs: number;
}

/** Age of what is youngest in the segment; `undefined` when nothing believable tells it. */
export function ageOf({ newestMs, modifiedMs }: SegmentTimes, nowMs: number): number | undefined {
  let youngest: number | undefined;
  for (const witness of [newestMs, modifiedMs]) {
    if (witness === undefined || witness <= 0 || witness > nowMs) continue;
    if (youngest === undefined || witness > youngest) youngest = witness;
  }
  return youngest === undefined ? undefined : nowMs - youngest;
}

export interface RemovalInput {
  readonly nowMs: number;
  /** Of the day, where the machine is. */
  readonly hour: number;
  /** Whether the wall clock has not leapt forward lately (clock-watch.ts). */
  readonly isClockSteady: boolean;
  readonly isAsked: boolean;
  readonly space: SpaceVerdict;
  /** Oldest first, only those that may go at all; taken one by one, no further than needed. */
  readonly segments: Iterable<SegmentTimes>;
}

export interface RemovalPlan {
  /** How many of the oldest segments go. */
  readonly count: number;
  /** `forced` when one of them is not expired. */
  readonly reason: "expired" | "forced";
  /** Expired segments are kept, because the clock has leapt: `clock`; the oldest tells no age: `undated`. */
  readonly heldBack: "clock" | "undated" | undefined;
}

export function planRemoval(rules: RetentionRules, input: RemovalInput): RemovalPlan {
  const { nowMs, space } = input;
  const isDue = input.isAsked || space.isAboveMax || rules.deleteWhen.includes(input.hour);
  const isForced = rules.cleanForcibly && space.isAboveForcibly;
  let count = 0;
  let reason: RemovalPlan["reason"] = "expired";
  if (!isDue) return { count, reason, heldBack: undefined };
  for (const segment of input.segments) {
    if (count === rules.batchMax) break;
    const ageMs = ageOf(segment, nowMs);
    const isExpired = ageMs !== undefined && ageMs >= rules.reservedMs;
    if (!isExpired || !input.isClockSteady) {
      const heldBack = isExpired ? "clock" : ageMs === undefined ? "undated" : undefined;
      if (!isForced) return { count, reason, heldBack };
      reason = "forced";
    }
    count += 1;
  }
  return { count, reason, heldBack: undefined };
}
