/** Where everything lies below storePathRootDir, by RocketMQ's names; our own additions are marked. */

/** Bytes in the decimal name of a segment or ConsumeQueue file. */
const NAME_DIGITS = 20;

export interface StorePaths {
  readonly home: string;
  readonly commitLog: string;
  readonly consumeQueue: string;
  /** Written by Java brokers only (consume-queue-ext.ts). */
  readonly consumeQueueExt: string;
  readonly index: string;
  readonly config: string;
  /** Messages that wait for a time (timer/timer-files.ts). */
  readonly timerWheel: string;
  readonly timerLog: string;
  readonly timerCheck: string;
  /** Ours: what was written as timerCheck (state/state-checksums.ts). */
  readonly timerCheckSums: string;
  readonly checkpoint: string;
  readonly abort: string;
  readonly lock: string;
  /** Ours: flushed and dispatched offsets (mark-file.ts). */
  readonly mark: string;
  /** Ours: space kept for small state on a full disk (space-reserve.ts). */
  readonly reserve: string;
  /** Ours: the queues there were, so that a missing one is noticed (queue-table-file.ts). */
  readonly queueTable: string;
  /** Ours: checksums of derived files, in a tree like theirs (integrity/block-checksums.ts). */
  readonly checksums: string;
  /** Ours: corrupt records that an operator has given up (integrity/skip-list.ts). */
  readonly skips: string;
  /** Ours: topics whose records in the log do not count (retention/deleted-topics.ts). */
  readonly deletedTopics: string;
  /** Ours: there while the timers' wheel and log are built again (timer/timer-files.ts). */
  readonly timerRebuild: string;
  /** Ours: how far the IndexFiles are complete (index-file/index-state-file.ts). */
  readonly indexState: string;
}

export function storePaths(home: string): StorePaths {
  return {
    home,
    commitLog: `${home}/commitlog`,
    consumeQueue: `${home}/consumequeue`,
    consumeQueueExt: `${home}/consumequeue_ext`,
    index: `${home}/index`,
    config: `${home}/config`,
    timerWheel: `${home}/timerwheel`,
    timerLog: `${home}/timerlog`,
    timerCheck: `${home}/config/timercheck`,
    timerCheckSums: `${home}/config/orbitmq-checksums/timercheck`,
    checkpoint: `${home}/checkpoint`,
    abort: `${home}/abort`,
    lock: `${home}/lock`,
    mark: `${home}/orbitmq-mark`,
    reserve: `${home}/orbitmq-reserve`,
    queueTable: `${home}/orbitmq-queues.json`,
    checksums: `${home}/orbitmq-checksums`,
    skips: `${home}/orbitmq-skips.json`,
    deletedTopics: `${home}/config/orbitmq-deleted-topics.json`,
    timerRebuild: `${home}/orbitmq-timer-rebuild`,
    indexState: `${home}/orbitmq-index`,
  };
}

/** The name of the file that begins at `offset`. */
export function offsetName(offset: number): string {
  return String(offset).padStart(NAME_DIGITS, "0");
}

/** The offset a file name stands for; `undefined` when it is no such name. */
export function parseOffsetName(name: string): number | undefined {
  if (name.length !== NAME_DIGITS || !/^\d+$/.test(name)) return undefined;
  const offset = Number(name);
  return Number.isSafeInteger(offset) ? offset : undefined;
}

export function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return ".";
  return slash === 0 ? "/" : path.slice(0, slash);
}
