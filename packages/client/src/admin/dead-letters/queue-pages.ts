/**
 * Reads a queue from one offset to another, page by page, without a group. Nothing is committed, and nothing is pulled
 * that nobody asked for.
 */
import {
  type MessageQueue,
  type MessageRecord,
  PullSysFlag,
  pullMessageRequestHeader,
  pullMessageResponseHeader,
  RequestCode,
  ResponseCode,
} from "@orbitmq/wire";
import type { ClientInstance } from "../../connection/client-instance.ts";
import { consumerDefaults } from "../../consumer/consumer-options.ts";
import { addressFor } from "../../consumer/offsets/queue-offsets.ts";
import { copyRecords } from "../../consumer/queue/pulled-record.ts";
import { readerLimits } from "../../consumer/reader/reader-options.ts";
import { fromResponse } from "../../errors/error-from.ts";

/** A broker that has a message may show it a moment later only. */
const UNSEEN_PAUSE_MS = 20;

export interface PageRange {
  readonly from: number;
  /** Before this one. */
  readonly to: number;
  /** Only of this tag, as the broker's filter sees it. */
  readonly tag?: string;
  /** There are messages up to `to`: wait for them. Otherwise what is not there yet ends the reading. */
  readonly isStored?: boolean;
}

interface Page {
  readonly records: readonly MessageRecord[];
  readonly next: number;
}

/** Rejects as a pull does (NO_PERMISSION for a topic that cannot be read). */
export async function* queuePages(
  instance: ClientInstance,
  queue: MessageQueue,
  range: PageRange,
): AsyncGenerator<readonly MessageRecord[]> {
  for (let offset = range.from; offset < range.to; ) {
    const { records, next } = await pull(instance, queue, offset, range.tag ?? "*");
    const wanted = records.filter(({ queueOffset }) => queueOffset >= offset && queueOffset < range.to);
    if (wanted.length > 0) yield wanted;
    if (next > offset) offset = next;
    else if (range.isStored === true) await pause(instance, UNSEEN_PAUSE_MS);
    else return;
  }
}

/** The one at `offset`, or the next there is; `undefined` at the end. */
export async function recordFrom(
  instance: ClientInstance,
  queue: MessageQueue,
  offset: number,
  to: number,
): Promise<MessageRecord | undefined> {
  for await (const [record] of queuePages(instance, queue, { from: offset, to })) return record;
  return undefined;
}

export function pause(instance: ClientInstance, ms: number): Promise<void> {
  return new Promise((resolve) => void instance.host.timers.after(ms, resolve));
}

function pull(instance: ClientInstance, queue: MessageQueue, offset: number, tag: string): Promise<Page> {
  const { topic, queueId, brokerName } = queue;
  const header = {
    consumerGroup: readerLimits.group,
    topic,
    queueId,
    queueOffset: offset,
    maxMsgNums: readerLimits.pullBatchSize,
    sysFlag: PullSysFlag.SUBSCRIPTION,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: tag,
    subVersion: instance.host.clock.wallMs(),
    expressionType: "TAG",
    maxMsgBytes: consumerDefaults.pullBytesMax,
  };
  return instance.call(
    addressFor(instance, queue),
    {
      code: RequestCode.PULL_MESSAGE,
      header: (sink) => pullMessageRequestHeader.encode(header, sink),
    },
    (response) => {
      switch (response.code) {
        case ResponseCode.SUCCESS:
        case ResponseCode.PULL_NOT_FOUND:
        case ResponseCode.PULL_RETRY_IMMEDIATELY:
        case ResponseCode.PULL_OFFSET_MOVED: {
          const records = response.code === ResponseCode.SUCCESS ? copyRecords(response.body) : [];
          const { nextBeginOffset } = pullMessageResponseHeader.decode(response.ext);
          return { records, next: nextBeginOffset };
        }
        default:
          throw fromResponse(response.code, response.remark, brokerName);
      }
    },
  );
}
