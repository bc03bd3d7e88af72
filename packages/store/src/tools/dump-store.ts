/** Records of a store as plain objects, in the order of the log, for people and scripts. */
import type { Files } from "@orbitmq/host";
import { decompressBody, formatHostBytes, propertiesObject, readRecord } from "@orbitmq/wire";
import { walkLog } from "./log-walk.ts";
import { StoreView, type ViewOptions } from "./store-view.ts";

export interface DumpFilter {
  readonly topic?: string | undefined;
  readonly queueId?: number | undefined;
  /** Queue offsets, the first and one past the last. */
  readonly fromOffset?: number | undefined;
  readonly toOffset?: number | undefined;
  /** Offsets in the log: records that begin from the one up to before the other. */
  readonly fromPosition?: number | undefined;
  readonly toPosition?: number | undefined;
  /** Store times, ms since 1970: from the one up to before the other. */
  readonly fromTimestamp?: number | undefined;
  readonly toTimestamp?: number | undefined;
}

export interface DumpedRecord {
  readonly kind: "record";
  readonly physicalOffset: number;
  readonly size: number;
  readonly topic: string;
  readonly queueId: number;
  readonly queueOffset: number;
  readonly storeTimestamp: number;
  readonly bornTimestamp: number;
  readonly bornHost: string;
  readonly storeHost: string;
  readonly sysFlag: number;
  readonly flag: number;
  readonly reconsumeTimes: number;
  readonly preparedTransactionOffset: number;
  readonly properties: Readonly<Record<string, string>>;
  /** The body, decompressed, when it is text; else it is in `bodyBase64`. */
  readonly body?: string;
  /** The body as stored. */
  readonly bodyBase64?: string;
}

export interface DumpedDamage {
  readonly kind: "damage";
  readonly physicalOffset: number;
  /** Where the next record begins. */
  readonly end: number;
  readonly file: string;
  readonly reason: string;
}

/** Up to the flushed mark; damaged places are among the records unless a topic is asked for. Throws StoreError as {@link StoreView}, HostError. */
export function* dumpStore(
  files: Files,
  options: ViewOptions,
  filter: DumpFilter = {},
): Generator<DumpedRecord | DumpedDamage> {
  const view = new StoreView(files, options);
  const { fromPosition = 0, toPosition = Number.POSITIVE_INFINITY } = filter;
  try {
    const { minOffset, segmentBytes, mark } = view;
    // Segments begin with a record: those before the first that is wanted need no reading.
    const skipped = Math.max(0, Math.floor((Math.min(fromPosition, view.limit) - minOffset) / segmentBytes));
    const from = minOffset + (view.logFiles.length === 0 ? 0 : skipped * segmentBytes);
    for (const entry of walkLog(view, from, Math.min(view.limit, toPosition), mark !== undefined)) {
      if (entry.position < fromPosition) continue;
      if (entry.kind === "damage") {
        const { position, end, reason } = entry;
        const file = view.fileAt(position)?.path ?? "";
        if (filter.topic === undefined) yield { kind: "damage", physicalOffset: position, end, file, reason };
        continue;
      }
      const record = dumped(entry.bytes, entry.at, filter);
      if (record !== undefined) yield record;
    }
  } finally {
    view.close();
  }
}

function dumped(bytes: Buffer, at: number, filter: DumpFilter): DumpedRecord | undefined {
  const record = readRecord(bytes, at);
  const { topic, queueId, queueOffset, storeTimestamp } = record;
  const isWanted =
    (filter.topic ?? topic) === topic &&
    (filter.queueId ?? queueId) === queueId &&
    queueOffset >= (filter.fromOffset ?? 0) &&
    queueOffset < (filter.toOffset ?? Number.POSITIVE_INFINITY) &&
    storeTimestamp >= (filter.fromTimestamp ?? 0) &&
    storeTimestamp < (filter.toTimestamp ?? Number.POSITIVE_INFINITY);
  if (!isWanted) return undefined;
  return {
    kind: "record",
    physicalOffset: record.physicalOffset,
    size: record.totalSize,
    topic,
    queueId,
    queueOffset,
    storeTimestamp,
    bornTimestamp: record.bornTimestamp,
    bornHost: formatHostBytes(record.bornHost),
    storeHost: formatHostBytes(record.storeHost),
    sysFlag: record.sysFlag,
    flag: record.flag,
    reconsumeTimes: record.reconsumeTimes,
    preparedTransactionOffset: record.preparedTransactionOffset,
    properties: propertiesObject(Buffer.from(record.properties).toString()),
    ...bodyOf(record.body, record.sysFlag),
  };
}

function bodyOf(body: Uint8Array, sysFlag: number): { body: string } | { bodyBase64: string } {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true }).decode(decompressBody(body, sysFlag)) };
  } catch {
    // No text, or a compression this Node does not know: as it is.
    return { bodyBase64: Buffer.from(body).toString("base64") };
  }
}
