/**
 * GET_BROKER_RUNTIME_INFO (28): what mqadmin clusterList, brokerStatus and dashboards show. RocketMQ's names;
 * what does not exist here (thread pools, transient buffers) is given as idle, because mqadmin prints `null` or
 * fails on missing ones.
 */
import type { Clock, Files } from "@orbitmq/host";
import type { DiskUseReport, MessageStore } from "@orbitmq/store";
import {
  encodeKvTable,
  MQ_VERSION_CURRENT,
  mqVersionName,
  type RequestHandler,
  ResponseCode,
  readRecord,
  WireError,
} from "@orbitmq/wire";
import type { ScheduleService } from "../schedule/schedule-service.ts";
import type { BrokerStats } from "../stats.ts";
import type { TimerService } from "../timer/timer-service.ts";

export interface GetBrokerRuntimeInfoNeeds {
  readonly clock: Clock;
  readonly files: Files;
  readonly store: MessageStore;
  readonly stats: BrokerStats;
  readonly schedule: Pick<ScheduleService, "progress">;
  readonly timed: Pick<TimerService, "behind" | "counts">;
  /** A path on the store's disk; absent: the store is in memory. */
  readonly storePath: string | undefined;
}

interface Space {
  readonly usedRatio: number;
  readonly text: string;
}

const POOLS = ["send", "pull", "litePull", "query", "ack"] as const;
const POOL_CAPACITY = 10_000;

export function getBrokerRuntimeInfo(needs: GetBrokerRuntimeInfoNeeds): RequestHandler {
  return (_request, exchange) => {
    const { store } = needs;
    const space = spaceOf(needs);
    store.recordAt(store.status().minOffset, (record) => {
      const table = runtimeInfo(needs, space, earliest(needs, record));
      store.diskUse((_error, report) => {
        if (report !== undefined) putDiskUse(table, report);
        exchange.reply({ code: ResponseCode.SUCCESS, body: [encodeKvTable(table)] });
      });
    });
  };
}

/** Wall ms of the oldest message; now when there is none, so that an empty store is zero hours long. */
function earliest({ clock }: GetBrokerRuntimeInfoNeeds, record: Uint8Array | undefined): number {
  if (record === undefined) return clock.wallMs();
  try {
    return readRecord(Buffer.from(record.buffer, record.byteOffset, record.byteLength)).storeTimestamp;
  } catch (error) {
    if (error instanceof WireError) return clock.wallMs();
    throw error;
  }
}

function runtimeInfo(
  needs: GetBrokerRuntimeInfoNeeds,
  space: Space,
  earliestMs: number,
): Map<string, string> {
  const { clock, stats, store } = needs;
  const status = store.status();
  const rates = stats.rates();
  const table = new Map<string, string>();
  const put = (values: Readonly<Record<string, string | number | boolean>>): void => {
    for (const [name, value] of Object.entries(values)) table.set(name, String(value));
  };
  const timed = needs.timed.behind();
  const behindBytes = Math.max(0, status.writtenOffset - status.readableLimit);
  put({
    bootTimestamp: stats.startedWallMs,
    runtime: duration(clock.wallMs() - stats.startedWallMs),
    putMessageEntireTimeMax: 0,
    putMessageTimesTotal: stats.messagesPut,
    putMessageFailedTimes: stats.putFailed,
    putMessageSizeTotal: stats.putBytes,
    putMessageDistributeTime: "",
    putMessageAverageSize: stats.messagesPut === 0 ? 0 : stats.putBytes / stats.messagesPut,
    dispatchMaxBuffer: 0,
    getMessageEntireTimeMax: 0,
    ...rates,
    // The 4.x name; without it mqadmin of 4.9 prints an exception below its table.
    getTransferedTps: rates.getTransferredTps,
    putLatency99: 0,
    putLatency999: 0,
    commitLogDiskRatio: space.usedRatio,
    consumeQueueDiskRatio: space.usedRatio,
    commitLogMinOffset: status.minOffset,
    commitLogMaxOffset: status.writtenOffset,
    brokerActive: status.state === "running",
    brokerVersionDesc: mqVersionName(MQ_VERSION_CURRENT),
    msgPutTotalYesterdayMorning: 0,
    msgPutTotalTodayMorning: 0,
    msgPutTotalTodayNow: stats.messagesPut,
    msgGetTotalYesterdayMorning: 0,
    msgGetTotalTodayMorning: 0,
    msgGetTotalTodayNow: stats.messagesGot,
    // RocketMQ's dispatch feeds the index as well.
    dispatchBehindBytes: Math.max(behindBytes, status.keyIndex.behindBytes),
    pageCacheLockTimeMills: 0,
    earliestMessageTimeStamp: earliestMs,
    startAcceptSendRequestTimeStamp: 0,
    timerReadBehind: timed.readSeconds,
    timerOffsetBehind: timed.offsets,
    timerCongestNum: timed.waiting,
    timerEnqueueTps: "0.0",
    timerDequeueTps: "0.0",
    remainTransientStoreBufferNumbs: 0,
    remainHowManyDataToFlush: `${Math.max(0, status.writtenOffset - status.flushedOffset)} B`,
    commitLogDirCapacity: space.text,
    EndTransactionQueueSize: 0,
    EndTransactionThreadPoolQueueCapacity: POOL_CAPACITY,
  });
  // Ours: what became of timed messages since the start.
  for (const [name, count] of Object.entries(needs.timed.counts)) {
    table.set(`timer${name.charAt(0).toUpperCase()}${name.slice(1)}`, String(count));
  }
  for (const [level, { delivered, end }] of needs.schedule.progress()) {
    if (end > 0) table.set(`scheduleMessageOffset_${level}`, `${delivered},${end}`);
  }
  for (const pool of POOLS) {
    put({
      [`${pool}ThreadPoolQueueSize`]: 0,
      [`${pool}ThreadPoolQueueCapacity`]: POOL_CAPACITY,
      [`${pool}ThreadPoolQueueHeadWaitTimeMills`]: 0,
    });
  }
  return table;
}

/** Ours: what the store costs, by kind of file; `…AllocatedBytes` is what sparse files take of the disk. */
function putDiskUse(table: Map<string, string>, { commitLog, consumeQueue, index }: DiskUseReport): void {
  for (const [name, { files, bytes, allocatedBytes }] of Object.entries({ commitLog, consumeQueue, index })) {
    table.set(`${name}Files`, String(files));
    table.set(`${name}Bytes`, String(bytes));
    table.set(`${name}AllocatedBytes`, String(allocatedBytes));
  }
}

function spaceOf({ files, storePath }: GetBrokerRuntimeInfoNeeds): Space {
  if (storePath === undefined) return { usedRatio: 0, text: "Total : 0 B, Free : 0 B." };
  const { freeBytes, totalBytes } = files.spaceSync(storePath);
  const usedRatio = totalBytes === 0 ? 0 : (totalBytes - freeBytes) / totalBytes;
  return { usedRatio, text: `Total : ${mebibytes(totalBytes)}, Free : ${mebibytes(freeBytes)}.` };
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** RocketMQ's spelling. */
function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3_600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  return `[ ${days} days, ${hours} hours, ${minutes} minutes, ${seconds % 60} seconds ]`;
}
