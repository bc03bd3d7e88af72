/**
 * Gives a corrupt record up, so that its queue goes on behind it. A record that can be read cannot be given up. The
 * decision is written to a file of ours (integrity/skip-list.ts): a running store sees it within a second, a stopped
 * one at its start.
 */
import type { Host, Logger } from "@orbitmq/host";
import { checkRecord } from "@orbitmq/wire";
import { checkSeal } from "../commit-log/record-seal.ts";
import { SkipList, type SkippedRecord } from "../integrity/skip-list.ts";
import { StoreError } from "../store-error.ts";
import { findUnit } from "./find-unit.ts";
import { nextRecord, walkLog } from "./log-walk.ts";
import { StoreView, type ViewOptions } from "./store-view.ts";

/** Returns what was written. Throws StoreError ILLEGAL_OPTION when `offset` is not in the log or can be read, NO_STORE, VERSION; HostError. */
export function skipRecord(
  host: Pick<Host, "files" | "timers" | "clock">,
  options: ViewOptions,
  offset: number,
  logger: Logger,
): SkippedRecord {
  const view = new StoreView(host.files, options);
  try {
    const { minOffset, limit } = view;
    if (!Number.isSafeInteger(offset) || offset < minOffset || offset >= limit) {
      throw new StoreError("ILLEGAL_OPTION", `offset ${offset} is not in the log (${minOffset} to ${limit})`);
    }
    const reason = whyUnreadable(view, offset);
    if (reason === undefined) {
      throw new StoreError("ILLEGAL_OPTION", `the record at offset ${offset} can be read; it is not skipped`);
    }
    const owner = findUnit(view, offset);
    if (owner === undefined && !isDamageAt(view, offset)) {
      throw new StoreError("ILLEGAL_OPTION", `no record begins at offset ${offset}`);
    }
    const end = nextRecord(view, offset, limit) ?? limit;
    const entry = { offset, end, ...owner, reason, skippedMs: host.clock.wallMs() };
    const list = new SkipList(host, view.paths.skips, logger);
    list.addSync(entry);
    logger.error({ ...entry }, "a corrupt record was given up by an operator");
    return entry;
  } finally {
    view.close();
  }
}

/** Whether the records of the segment lead to `offset`, and to none there. */
function isDamageAt(view: StoreView, offset: number): boolean {
  const start = offset - ((offset - view.minOffset) % view.segmentBytes);
  for (const entry of walkLog(view, start, offset + 1, true)) {
    if (entry.kind === "damage" && entry.position === offset) return true;
  }
  return false;
}

function whyUnreadable(view: StoreView, offset: number): string | undefined {
  const head = Buffer.alloc(4);
  view.readLog(offset, head);
  const segmentEnd = offset + view.segmentBytes - ((offset - view.minOffset) % view.segmentBytes);
  const bytes = Buffer.alloc(Math.max(8, Math.min(head.readInt32BE(0), segmentEnd - offset)));
  bytes.fill(0, view.readLog(offset, bytes));
  const check = checkRecord(bytes, 0, bytes.length, { physicalOffset: offset });
  if (check.kind === "bad") return check.reason;
  if (check.kind !== "record") return check.kind === "blank" ? undefined : `there is a ${check.kind} record`;
  return checkSeal(bytes, 0, check.size) === "wrong" ? "its __CRC32# does not match" : undefined;
}
