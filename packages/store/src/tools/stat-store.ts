/** What a store holds, by its folders and our mark, without reading the log. */
import type { Files, Host, Logger } from "@orbitmq/host";
import { BLANK_UNIT_SIZE, UNIT_BYTES } from "../consume-queue/consume-queue.ts";
import { SkipList, type SkippedRecord } from "../integrity/skip-list.ts";
import { StoreView, type ViewOptions } from "./store-view.ts";

export interface QueueStat {
  readonly topic: string;
  readonly queueId: number;
  /** First queue offset whose message is still stored. */
  readonly minOffset: number;
  /** One past the last unit in the files. */
  readonly maxOffset: number;
}

export interface StoreStat {
  readonly home: string;
  /** `stopped`: in order. `open`: in use, or killed. `foreign`: without OrbitMQ's mark, as a Java broker leaves it. */
  readonly state: "stopped" | "open" | "foreign";
  readonly segments: number;
  readonly segmentBytes: number;
  readonly minOffset: number;
  /** All log bytes below are on disk; for a foreign store the end of the files. */
  readonly flushedOffset: number;
  /** All queue units of records below are on disk. */
  readonly dispatchedOffset: number;
  /** Wall ms of the newest record known to the mark; 0 when unknown. */
  readonly lastStoreTimestamp: number;
  readonly messages: number;
  readonly queues: readonly QueueStat[];
  readonly skipped: readonly SkippedRecord[];
  /** What the file system has left and holds in all, bytes. */
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** Throws StoreError as {@link StoreView}, HostError. */
export function statStore(
  host: Pick<Host, "files" | "timers">,
  options: ViewOptions,
  logger: Logger,
): StoreStat {
  const { files } = host;
  const view = new StoreView(files, options);
  try {
    const { mark, paths } = view;
    const skips = new SkipList(host, paths.skips, logger);
    skips.load();
    const queues = [...view.queues()].map(({ topic, queueId }) => statQueue(view, topic, queueId));
    queues.sort((a, b) => (a.topic === b.topic ? a.queueId - b.queueId : a.topic < b.topic ? -1 : 1));
    return {
      home: options.home,
      state: mark === undefined ? "foreign" : isOpen(files, paths.abort) ? "open" : "stopped",
      segments: view.logFiles.length,
      segmentBytes: view.segmentBytes,
      minOffset: view.minOffset,
      flushedOffset: view.limit,
      dispatchedOffset: view.dispatched,
      lastStoreTimestamp: mark?.lastStoreTimestamp ?? 0,
      messages: queues.reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0),
      queues,
      skipped: skips.all,
      ...files.spaceSync(options.home),
    };
  } finally {
    view.close();
  }
}

function isOpen(files: Files, abort: string): boolean {
  return files.statSync(abort) !== undefined;
}

function statQueue(view: StoreView, topic: string, queueId: number): QueueStat {
  const { starts, bytes } = view.queueFiles(topic, queueId);
  const first = starts[0] ?? 0;
  const last = starts[starts.length - 1] ?? 0;
  const isFilled = (offset: number) => (view.unitAt(topic, queueId, offset)?.size ?? 0) > 0;
  const maxOffset = bisect(last, last + bytes / UNIT_BYTES, isFilled);
  const isGone = (offset: number) => {
    const unit = view.unitAt(topic, queueId, offset);
    return unit === undefined || unit.size === BLANK_UNIT_SIZE || unit.position < view.minOffset;
  };
  return { topic, queueId, minOffset: bisect(first, maxOffset, isGone), maxOffset };
}

/** First offset in [low, high) for which `isBefore` is false. */
function bisect(low: number, high: number, isBefore: (offset: number) => boolean): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = from + Math.floor((to - from) / 2);
    if (isBefore(middle)) from = middle + 1;
    else to = middle;
  }
  return from;
}
