/**
 * Keeps the store within its time and its disk (RocketMQ: CleanCommitLogService): looks every
 * `cleanResourceInterval` at the disks and at the oldest segments, and lets removal.ts do what
 * retention-policy.ts decides. Tells whether the disk counts as full. The first look at the disks is at the start,
 * the first at the segments 60 s later, or after one interval on a disk that is full.
 *
 *   idle → removing → idle            a round at a time
 *   removing → waiting → idle         a removal failed: the next one `redeleteHangedFileInterval` later
 *
 * Asked by hand (RocketMQ: executeDeleteFilesManually), rounds follow each other until nothing is expired any
 * more, at most 20.
 */
import type { Host, HostError, Logger, TimerHandle } from "@orbitmq/host";
import { checkRecord, RECORD_BYTES_MIN, RecordField, readInt64, storeTimestampAt } from "@orbitmq/wire";
import type { Segment, SegmentSet } from "../commit-log/segment-set.ts";
import type { ResolvedStoreOptions } from "../store-options.ts";
import { ClockWatch } from "./clock-watch.ts";
import { Removal, type RemovalParts } from "./removal.ts";
import {
  type DiskUse,
  judgeSpace,
  planRemoval,
  type RemovalPlan,
  type RetentionRules,
  retentionRules,
  type SegmentTimes,
  type SpaceVerdict,
} from "./retention-policy.ts";

const FIRST_LOOK_MS = 60_000;
const ROUNDS_MAX = 20;

export interface RetentionParts extends RemovalParts {
  readonly segments: SegmentSet;
  readonly home: string;
  /** No segment that ends behind it may go: recovery still needs it, or it holds the newest message. */
  readonly removableTo: () => number;
  readonly lastStoreTimestamp: () => number;
}

export class Retention {
  readonly #host: Host;
  readonly #options: ResolvedStoreOptions;
  readonly #parts: RetentionParts;
  #rules: RetentionRules;
  readonly #logger: Logger;
  readonly #clockWatch: ClockWatch;
  readonly #removal: Removal;
  #timer: TimerHandle | undefined;
  #space: SpaceVerdict | undefined;
  #roundsAsked = 0;
  #notBeforeMs = 0;
  #saidHeldBack: string | undefined;

  /** Throws StoreError ILLEGAL_OPTION. */
  constructor(host: Host, options: ResolvedStoreOptions, parts: RetentionParts, logger: Logger) {
    this.#host = host;
    this.#options = options;
    this.#parts = parts;
    this.#rules = retentionRules(options);
    this.#logger = logger;
    this.#clockWatch = new ClockWatch(host.clock);
    this.#removal = new Removal(host, parts, logger);
  }

  /** The disk that counts as full, as of the last look; `undefined` when none does. */
  get full(): DiskUse | undefined {
    return this.#space?.full;
  }

  /** The options have changed; the next look at the disk goes by them. */
  rulesChanged(): void {
    this.#rules = retentionRules(this.#options);
  }

  begin(): void {
    if (this.#options.cleanResourceInterval === 0) return;
    this.#look();
    const { cleanResourceInterval } = this.#options;
    const firstLookMs =
      this.full === undefined ? FIRST_LOOK_MS : Math.min(FIRST_LOOK_MS, cleanResourceInterval);
    this.#timer = this.#host.timers.after(firstLookMs, this.#tick);
  }

  /** Deletes what is expired, whatever the hour. */
  deleteExpired(): void {
    this.#roundsAsked = ROUNDS_MAX;
    this.#round();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#removal.close();
  }

  readonly #tick = (): void => {
    this.#timer = this.#host.timers.after(this.#options.cleanResourceInterval, this.#tick);
    this.#round();
  };

  #round(): void {
    const aheadMs = this.#clockWatch.look();
    this.#look();
    const { clock } = this.#host;
    if (this.#removal.isRunning || !this.#parts.mayRemove() || this.#space === undefined) return;
    if (clock.monotonicMs() < this.#notBeforeMs) return;
    const nowMs = clock.wallMs();
    let plan: RemovalPlan;
    try {
      plan = this.#plan(nowMs, aheadMs, this.#space);
    } catch (error) {
      this.#logger.error({ err: error as HostError }, "the age of the oldest segments cannot be told");
      return;
    }
    this.#sayHeldBack(plan.heldBack, aheadMs);
    if (plan.count === 0) {
      this.#roundsAsked = 0;
      return;
    }
    this.#roundsAsked = Math.max(0, this.#roundsAsked - 1);
    this.#removal.run(plan.count, plan.reason, (outcome) => {
      if (outcome === "kept") this.#roundsAsked = 0;
      if (outcome === "failed") {
        this.#roundsAsked = 0;
        this.#notBeforeMs = clock.monotonicMs() + this.#options.redeleteHangedFileInterval;
      } else if (this.#roundsAsked > 0) this.#host.timers.afterTurn(() => this.#round());
    });
  }

  #plan(nowMs: number, aheadMs: number, space: SpaceVerdict): RemovalPlan {
    const { hourOf } = this.#host.process;
    return planRemoval(this.#rules, {
      nowMs,
      hour: hourOf?.(nowMs) ?? Math.floor(nowMs / 3_600_000) % 24,
      isClockSteady: aheadMs === 0,
      isAsked: this.#roundsAsked > 0,
      space,
      segments: this.#removable(),
    });
  }

  /** Asks the disks how full they are; a disk that does not answer counts as it did. */
  #look(): void {
    const { folders } = this.#parts.segments;
    let space: SpaceVerdict;
    try {
      const uses = folders.writable.map((folder) => this.#useOf(folder));
      space = judgeSpace(this.#rules, uses, this.#useOf(this.#parts.home), this.full !== undefined);
    } catch (error) {
      this.#logger.error({ err: error as HostError }, "the disk's free space cannot be read");
      return;
    }
    const before = this.full;
    this.#space = space;
    folders.full = new Set(space.fullFolders);
    if (space.full !== undefined && before === undefined) {
      const { folder, usedRatio } = space.full;
      this.#logger.error(
        { folder, usedPercent: percent(usedRatio), limit: this.#rules.warningLevelRatio * 100 },
        "the disk is nearly full (diskSpaceWarningLevelRatio): sends are refused, reads and offset commits go on",
      );
    } else if (space.full === undefined && before !== undefined) {
      this.#logger.info({ folder: before.folder }, "the disk has space again: sends are accepted");
    }
  }

  #useOf(folder: string): DiskUse {
    const { freeBytes, totalBytes } = this.#host.files.spaceSync(folder);
    return { folder, usedRatio: totalBytes > 0 ? Math.max(0, 1 - freeBytes / totalBytes) : 0 };
  }

  /** The segments that may go, as the policy wants to know them. */
  *#removable(): Iterable<SegmentTimes> {
    const { segments, removableTo } = this.#parts;
    const limit = removableTo();
    for (let index = 0; index + 1 < segments.all.length; index += 1) {
      const segment = segments.all[index]!;
      if (segment.start + segments.segmentBytes > limit || segment.writer !== undefined) return;
      yield {
        newestMs: this.#firstTime(segments.all[index + 1]!),
        modifiedMs: this.#host.files.statSync(segment.path)?.modifiedMs ?? 0,
      };
    }
  }

  /** Store time of the segment's first message: nothing before it is younger. */
  #firstTime(segment: Segment): number | undefined {
    const head = Buffer.alloc(RECORD_BYTES_MIN);
    const { segments, lastStoreTimestamp } = this.#parts;
    try {
      segments.reader(segment).readSync(head, 0);
    } catch (error) {
      this.#logger.error({ err: error as HostError, file: segment.path }, "a segment cannot be read");
      return undefined;
    }
    const { kind } = checkRecord(head, 0, head.length, { physicalOffset: segment.start });
    if (kind === "zero") return lastStoreTimestamp();
    if (readInt64(head, RecordField.PHYSICAL_OFFSET) !== segment.start) return undefined;
    return readInt64(head, storeTimestampAt(head.readInt32BE(RecordField.SYS_FLAG)));
  }

  /** Once per reason. */
  #sayHeldBack(heldBack: "clock" | "undated" | undefined, aheadMs: number): void {
    if (heldBack === this.#saidHeldBack) return;
    this.#saidHeldBack = heldBack;
    if (heldBack === "clock") {
      this.#logger.warn(
        { aheadMs },
        "the wall clock has leapt forward: nothing is deleted for its age for an hour; set it right if it is wrong",
      );
    } else if (heldBack === "undated") {
      this.#logger.warn(
        { file: this.#parts.segments.all[0]?.path },
        "the oldest segment comes from the future: its age is not known, and it is kept",
      );
    }
  }
}

function percent(ratio: number): number {
  return Math.round(ratio * 1000) / 10;
}
