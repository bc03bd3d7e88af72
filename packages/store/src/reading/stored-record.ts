/** One record of the log by position, from memory or from disk, checked whole before anybody sees it. */
import { checkRecord, RECORD_BYTES_MIN, RecordField, readInt64 } from "@orbitmq/wire";
import type { HotTail } from "../commit-log/hot-tail.ts";
import type { ColdBlocks } from "./cold-blocks.ts";
import { whatIsDamaged } from "./record-check.ts";

export interface StoredParts {
  readonly tail: HotTail;
  readonly cold: ColdBlocks;
  /** First offset still stored. */
  readonly logStart: () => number;
}

/**
 * `isGone`: nothing is stored at that position, or nothing any more. `isDamaged`: the disk gave bytes that are not the
 * record. Neither: it could not be read now.
 */
export type RecordRead = (
  record: Buffer | undefined,
  reason: string,
  isGone: boolean,
  isDamaged: boolean,
) => void;

/**
 * A copy of the record at `position`, which must end at or below `limit`; without one `reason` says why. `done` may
 * be called at once. What is read from disk holds memory: the caller answers for how many do so at once.
 */
export function readStored(
  { tail, cold, logStart }: StoredParts,
  position: number,
  limit: number,
  done: RecordRead,
): void {
  if (!Number.isSafeInteger(position) || position < logStart() || position + RECORD_BYTES_MIN > limit) {
    done(undefined, "it does not lie in the log", true, false);
    return;
  }
  const slab = tail.find(position);
  if (slab !== undefined) {
    const at = position - slab.start;
    const end = Math.min(slab.used, limit - slab.start);
    const check = checkRecord(slab.bytes, at, end, { physicalOffset: position });
    if (check.kind === "record")
      done(Buffer.from(slab.bytes.subarray(at, at + check.size)), "", false, false);
    else done(undefined, "no record starts there", false, false);
    return;
  }
  // Retention may have removed it meanwhile.
  const failed = (reason: string, isDamaged: boolean) => {
    const isGone = position < logStart();
    done(undefined, reason, isGone, isDamaged && !isGone);
  };
  cold.assemble(position, RECORD_BYTES_MIN, (error, head) => {
    if (error !== undefined) return failed(error.message, false);
    const size = head.readInt32BE(RecordField.TOTAL_SIZE);
    if (readInt64(head, RecordField.PHYSICAL_OFFSET) !== position) {
      cold.forget(position, RECORD_BYTES_MIN);
      return failed("no record starts there", true);
    }
    if (size < RECORD_BYTES_MIN || position + size > limit) {
      // One that reaches beyond the limit may not be readable yet.
      return failed(`its size is ${size}`, size < RECORD_BYTES_MIN);
    }
    cold.assemble(position, size, (failure, bytes) => {
      const damage = failure?.message ?? whatIsDamaged(bytes, 0, size, position);
      if (damage === undefined) return done(bytes, "", false, false);
      cold.forget(position, size);
      failed(damage, failure === undefined);
    });
  });
}
