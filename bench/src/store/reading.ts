/** Reads of what appending.ts has stored: in order, at random offsets, by time. */
import type { Host } from "@orbitmq/host";
import type { FileMessageStore } from "@orbitmq/store";
import { percentile, TOPIC } from "./appending.ts";

const PULL_MESSAGES = 32;
const PULL_BYTES = 256 * 1024;
const MIB = 1024 * 1024;
/** Pulls in a row before other work gets its turn. */
const PULLS_A_TURN = 32;

export interface ReadRate {
  readonly messages: number;
  readonly perSecond: number;
  /** Of the records that were read. */
  readonly mibPerSecond: number;
  /** Of this process, all threads, for each message. */
  readonly cpuUs: number;
}

export interface LookupRate {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface QueueToRead {
  readonly queueId: number;
  readonly from: number;
}

/** Every queue to its end, 32 messages a pull, all queues side by side, as one consumer of a topic reads them. */
export async function sequentialRead(
  host: Pick<Host, "timers">,
  store: FileMessageStore,
  queues: readonly QueueToRead[],
): Promise<ReadRate> {
  const begin = performance.now();
  const cpu = process.cpuUsage();
  let bytes = 0;
  let messages = 0;
  let pulls = 0;
  const readQueue = (queueId: number, from: number): Promise<void> =>
    new Promise((resolve) => {
      const step = (offset: number): void => {
        const request = {
          topic: TOPIC,
          queueId,
          offset,
          messagesMax: PULL_MESSAGES,
          bytesMax: PULL_BYTES,
        };
        store.get(request, (result) => {
          const { status, nextBeginOffset, byteCount, messageCount } = result;
          bytes += byteCount;
          messages += messageCount;
          result.release();
          if (status !== "FOUND") resolve();
          else if (queues.length > 1 || ++pulls % PULLS_A_TURN === 0)
            host.timers.afterTurn(() => step(nextBeginOffset));
          else step(nextBeginOffset);
        });
      };
      step(from);
    });
  await Promise.all(queues.map(({ queueId, from }) => readQueue(queueId, from)));
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    messages,
    perSecond: messages / seconds,
    mibPerSecond: bytes / MIB / seconds,
    cpuUs: (user + system) / messages,
  };
}

/** One message at a random offset of a random queue, one after the other. */
export function randomReads(
  store: FileMessageStore,
  queues: number,
  perQueue: number,
  count: number,
): Promise<LookupRate> {
  return oneByOne(
    count,
    () =>
      new Promise((resolve, reject) => {
        const request = {
          topic: TOPIC,
          queueId: Math.floor(Math.random() * queues),
          offset: Math.floor(Math.random() * perQueue),
          messagesMax: 1,
          bytesMax: PULL_BYTES,
        };
        store.get(request, (result) => {
          const { status } = result;
          result.release();
          if (status === "FOUND") resolve();
          else reject(new Error(`a stored message was not found: ${status}`));
        });
      }),
  );
}

/** The offset at a random moment of the time that was appended in. */
export async function timeLookups(
  store: FileMessageStore,
  queues: number,
  count: number,
): Promise<LookupRate> {
  const first = await new Promise<number>((resolve) => store.storeTimestampAt(TOPIC, 0, 0, resolve));
  const span = store.status().lastStoreTimestamp - first;
  return oneByOne(
    count,
    () =>
      new Promise((resolve) => {
        const queueId = Math.floor(Math.random() * queues);
        store.offsetByTime(TOPIC, queueId, first + Math.random() * span, "lower", () => resolve());
      }),
  );
}

/** `count` calls of `once`, each after the one before. */
export async function oneByOne(count: number, once: (index: number) => Promise<void>): Promise<LookupRate> {
  const latencies = new Float64Array(count);
  const begin = performance.now();
  for (let index = 0; index < count; index++) {
    const started = performance.now();
    await once(index);
    latencies[index] = performance.now() - started;
  }
  const seconds = (performance.now() - begin) / 1000;
  latencies.sort();
  return {
    perSecond: count / seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  };
}
