/**
 * Removes the oldest segments of the log, with everything that speaks of them, in an order that a crash at any
 * point leaves whole:
 *
 *   survey → ask its guards → announce → (unlink one segment, its name's removal synced) × n → queues begin later → files of
 *   queues and indexes, in their own time
 *
 * One segment's name is gone from disk before the next is touched, so that a crash never leaves a gap. Nothing
 * else needs saving: where queues begin is found from the log's first offset at every start, and only what lies
 * below the saved mark may go (nobody needs it to recover). A file that is still being read stays readable until
 * its handle is closed.
 *
 * One removal at a time. A truncation, a stop or an error ends it after the segment in hand; what is left is
 * found again by the next round.
 */
import type { Host, HostError, Logger, TimerHandle } from "@orbitmq/host";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import type { ConsumeQueue } from "../consume-queue/consume-queue.ts";
import type { RemovalGuard } from "../message-store.ts";
import { type RemovedRange, type SurveyParts, surveyQueues } from "./queue-survey.ts";

export interface RemovalParts {
  readonly segments: SegmentSet;
  readonly survey: SurveyParts;
  readonly queues: () => Iterator<ConsumeQueue>;
  /** Whether the log's files are ours to touch: not while it is cut or closed. */
  readonly mayRemove: () => boolean;
  /** Whether nobody needs the log below the limit any more; answered once. */
  readonly mayGo: RemovalGuard;
  /** Messages are about to go. Must not throw. */
  readonly announce: (ranges: readonly RemovedRange[]) => void;
  /** The log begins later, and the queues know it. */
  readonly removed: () => void;
  readonly intervalMs: number;
}

/** `complete` when every segment asked for is gone; `kept`: somebody needs what is in them. */
export type RemovalOutcome = "complete" | "interrupted" | "kept" | "failed";

export class Removal {
  readonly #host: Pick<Host, "files" | "timers">;
  readonly #parts: RemovalParts;
  readonly #logger: Logger;
  #isRunning = false;
  /** A folder whose last removal is not known to be on disk: before anything else goes, it must be. */
  #unsynced: string | undefined;
  #timer: TimerHandle | undefined;
  #closed = false;

  constructor(host: Pick<Host, "files" | "timers">, parts: RemovalParts, logger: Logger) {
    this.#host = host;
    this.#parts = parts;
    this.#logger = logger;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Removes the `count` oldest segments; `done` is called once, maybe at once. */
  run(count: number, reason: string, done: (outcome: RemovalOutcome) => void): void {
    const { segments, survey, queues, announce, mayGo } = this.#parts;
    const last = segments.all[count - 1];
    if (last === undefined) {
      done("complete");
      return;
    }
    const limit = last.start + segments.segmentBytes;
    this.#isRunning = true;
    const finish = (outcome: RemovalOutcome) => {
      this.#isRunning = false;
      done(outcome);
    };
    surveyQueues(survey, queues(), limit, (ranges) => {
      if (ranges === undefined || !this.#mayGoOn()) {
        finish("interrupted");
        return;
      }
      mayGo(limit, (may) => {
        if (!may || !this.#mayGoOn()) {
          finish(may ? "interrupted" : "kept");
          return;
        }
        announce(ranges);
        this.#removeUntil(limit, reason, (outcome) => {
          if (outcome === "complete") this.#apply(ranges, limit);
          this.#settle(outcome, finish);
        });
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #mayGoOn(): boolean {
    return !this.#closed && this.#parts.mayRemove();
  }

  #removeUntil(limit: number, reason: string, done: (outcome: RemovalOutcome) => void): void {
    const { segments, intervalMs } = this.#parts;
    this.#syncNames((error) => {
      if (error !== undefined) {
        this.#logger.error({ err: error }, "the removal of a segment cannot be synced; tried again later");
        done("failed");
        return;
      }
      const oldest = segments.all[0];
      if (oldest === undefined || oldest.start >= limit) {
        done("complete");
        return;
      }
      if (!this.#mayGoOn()) {
        done("interrupted");
        return;
      }
      try {
        segments.removeOldest();
      } catch (failure) {
        this.#logger.error(
          { err: failure, file: oldest.path },
          "a segment cannot be removed; tried again later",
        );
        done("failed");
        return;
      }
      this.#unsynced = oldest.folder;
      this.#logger.info(
        { file: oldest.path, from: oldest.start, to: segments.minOffset, reason },
        "a segment of the CommitLog was removed",
      );
      if (segments.minOffset >= limit) {
        this.#removeUntil(limit, reason, done);
        return;
      }
      this.#timer = this.#host.timers.after(intervalMs, () => this.#removeUntil(limit, reason, done));
    });
  }

  #syncNames(done: (error: HostError | undefined) => void): void {
    const folder = this.#unsynced;
    if (folder === undefined) {
      done(undefined);
      return;
    }
    this.#host.files.syncFolder(folder, (error) => {
      if (error === undefined) this.#unsynced = undefined;
      done(error);
    });
  }

  /** After fewer segments went than planned, the queues follow what did. */
  #settle(outcome: RemovalOutcome, finish: (outcome: RemovalOutcome) => void): void {
    const { survey, queues, segments, removed } = this.#parts;
    if (outcome === "complete" || this.#closed) {
      if (outcome === "complete") removed();
      finish(outcome);
      return;
    }
    const limit = segments.minOffset;
    surveyQueues(survey, queues(), limit, (ranges) => {
      if (ranges !== undefined && !this.#closed) {
        this.#apply(ranges, limit);
        removed();
      }
      finish(outcome);
    });
  }

  #apply(ranges: readonly RemovedRange[], limit: number): void {
    if (this.#parts.segments.minOffset < limit) return;
    for (const { queue, from, to } of ranges) {
      if (queue.minOffset === from) queue.removeBefore(Math.min(to, queue.end));
    }
  }
}
