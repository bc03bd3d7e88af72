/**
 * Decides, before anything is read in earnest, how much of a store can be believed.
 *
 *   trusted    our mark holds: nobody else has written since. Work is what lies behind it.
 *   java-clean the last run, ours or Java's, ended in order, but not as our mark says: the log is read from the
 *              newest segment that the queues reach into (RocketMQ: recoverNormally)
 *   java-dirty it did not end in order: from the newest segment that begins before the checkpoint's time, and
 *              the queues are built again from there (RocketMQ: recoverAbnormally)
 *
 * Who wrote last is told by the `abort` file. Ours names the store's id, which is in the mark; a Java broker
 * writes its pid into it at start and removes it at an orderly stop. Without the file the mark still holds if the
 * checkpoint is as we left it and the log ends exactly where the mark says.
 */
import { checkRecord } from "@orbitmq/wire";
import type { SegmentSet } from "../commit-log/segment-set.ts";
import { StoreError } from "../store-error.ts";
import type { CheckpointFile } from "./checkpoint-file.ts";
import type { Mark } from "./mark-file.ts";

export type RecoveryKind = "new" | "trusted" | "java-clean" | "java-dirty";

export interface RecoveryPlan {
  readonly kind: RecoveryKind;
  /** `trusted`: an orderly stop; nothing lies behind the mark. */
  readonly isClean: boolean;
}

/** What stands in the `abort` file while a store with this id is open. */
export function abortText(pid: number, storeId: number): string {
  return `${pid}${abortEnd(storeId)}`;
}

function abortEnd(storeId: number): string {
  return ` orbitmq ${storeId}\n`;
}

/**
 * Whether this store, in the run that wrote the mark, was the last to have the folder open, and did not close it. A
 * file of which a disk has changed one byte, or kept the front only, is still ours: no other broker writes such.
 */
export function isOurAbort(mark: Mark | undefined, abort: string | undefined): mark is Mark {
  if (mark === undefined || abort === undefined) return false;
  const ours = abortEnd(mark.nonce);
  const isCut = /^\d+ /.test(abort) && ours.startsWith(abort.slice(abort.indexOf(" ")));
  return isCut || differsInOneAtMost(abort.slice(-ours.length), ours);
}

function differsInOneAtMost(text: string, wanted: string): boolean {
  if (text.length !== wanted.length) return false;
  let different = 0;
  for (let at = 0; at < wanted.length; at += 1) if (text[at] !== wanted[at]) different += 1;
  return different <= 1;
}

export function planRecovery(
  mark: Mark | undefined,
  abort: string | undefined,
  checkpoint: CheckpointFile,
  segments: SegmentSet,
): RecoveryPlan {
  if (mark !== undefined) {
    checkAgainstMark(mark, segments);
    const ours = isOurAbort(mark, abort);
    const untouched =
      abort === undefined &&
      Buffer.compare(checkpoint.fields, mark.checkpoint) === 0 &&
      mark.truncateTo < 0 &&
      logEndsAt(segments, mark.flushedOffset);
    if (ours || untouched) return { kind: "trusted", isClean: untouched };
  }
  if (segments.all.length === 0) return { kind: "new", isClean: true };
  return abort === undefined ? { kind: "java-clean", isClean: true } : { kind: "java-dirty", isClean: false };
}

/** Whether nothing was ever appended at `offset`. */
function logEndsAt(segments: SegmentSet, offset: number): boolean {
  const segment = segments.at(offset);
  if (segment === undefined) return offset === segments.fileEnd;
  if (offset < segments.minOffset) return false;
  const head = Buffer.alloc(8);
  segments.reader(segment).readSync(head, offset - segment.start);
  return checkRecord(head, 0, head.length).kind === "zero";
}

/** What the mark says was on disk must be there. Throws StoreError DAMAGED. */
function checkAgainstMark(mark: Mark, segments: SegmentSet): void {
  const { flushedOffset } = mark;
  const fileEnd = segments.shortEnd ?? segments.fileEnd;
  if (flushedOffset > fileEnd) {
    throw new StoreError(
      "DAMAGED",
      `the CommitLog in ${segments.folders.all.join(", ")} ends at ${fileEnd}, but ${flushedOffset} bytes of it were on disk: ` +
        "its newest part is missing; bring the files back from a copy, or remove orbitmq-mark to start without it",
    );
  }
  if (flushedOffset < segments.minOffset) {
    throw new StoreError(
      "DAMAGED",
      `the CommitLog in ${segments.folders.all.join(", ")} starts at ${segments.minOffset}, but was written up to ${flushedOffset} only: ` +
        "these files belong to another store; if they are right, remove orbitmq-mark",
    );
  }
}
