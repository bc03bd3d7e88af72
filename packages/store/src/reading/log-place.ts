/**
 * What can be said of a place in the log, whether a message is there or not: for people who look for one. A read that
 * finds nothing says why.
 */
import type { SegmentSet } from "../commit-log/segment-set.ts";
import { offsetName } from "../store-paths.ts";
import type { RecordLookup } from "./record-lookup.ts";

/** `absent`: nothing is stored there, or nothing any more; `unreadable`: damaged, or no message begins there. */
export type LogPlace =
  | {
      readonly state: "whole";
      /** A copy of the record, with its checksums compared. */
      readonly record: Buffer;
      /** Name of its segment, and where in it the record begins. */
      readonly file: string;
      readonly fileOffset: number;
    }
  | { readonly state: "absent" | "unreadable"; readonly reason: string };

/** The part of the log that the index of keys knows. */
export interface KeyIndexSpan {
  /** messageIndexEnable. */
  readonly enabled: boolean;
  /** Bytes of the log that it has yet to catch up with. */
  readonly behindBytes: number;
  /** Store time of the oldest message it knows, wall ms; 0 when it knows none. */
  readonly fromMs: number;
}

/** `limit`: the readable limit. `done` may be called at once. */
export function lookAtPlace(
  lookup: RecordLookup,
  segments: SegmentSet,
  position: number,
  limit: number,
  done: (place: LogPlace) => void,
): void {
  lookup.record(position, limit, (record, reason, isGone) => {
    if (record === undefined) done({ state: isGone ? "absent" : "unreadable", reason });
    else {
      const fileOffset = position % segments.segmentBytes;
      done({ state: "whole", record, file: offsetName(position - fileOffset), fileOffset });
    }
  });
}
