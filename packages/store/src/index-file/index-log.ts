/** What the index asks of the CommitLog when its own files cannot answer. */
import type { ChunkRead } from "../commit-log/log-tail.ts";

export interface IndexLog {
  /** First offset there is. */
  readonly start: () => number;
  /** Records below may be seen. */
  readonly readable: () => number;
  /** Records below are on disk. */
  readonly flushed: () => number;
  /** Where the next record goes. */
  readonly appended: () => number;
  /** Where the log goes on behind a record that an operator has given up; `undefined` when none was. */
  readonly passOver: (position: number) => number | undefined;
  /** Whole records from `start` on that end at or below `limit`, at most `bytesMax` of them or a single longer one. */
  readonly read: (start: number, limit: number, bytesMax: number, done: ChunkRead) => void;
}
