/** Reads of what appending.ts has stored: in order, at random offsets, by time. */
import type { Host } from "@orbitmq/host";
import type { FileMessageStore } from "@orbitmq/store";
import { QUEUES, TOPIC } from "./appending.ts";

const PULL_MESSAGES = 32;
const PULL_BYTES = 256 * 1024;
const MIB = 1024 * 1024;
/** Pulls in a row before other work gets its turn. */
const PULLS_A_TURN = 32;

export interface ReadRate {
  readonly perSecond: number;
  readonly mibPerSecond: number;
}

export interface LookupRate {
  readonly perSecond: number;
  readonly p99Ms: number;
}

/** Every queue from `from(queueId)` to its end, 32 messages a pull. */
export async function sequentialRead(
  host: Pick<Host, "timers">,
  store: FileMessageStore,
  from: (queueId: number) => number,
): Promise<ReadRate> {
  const begin = performance.now();
  let bytes = 0;
  let messages = 0;
  for (let queueId = 0; queueId < QUEUES; queueId++) {
    await new Promise<void>((resolve) => {
      let pulls = 0;
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
          else if (++pulls % PULLS_A_TURN === 0) host.timers.afterTurn(() => step(nextBeginOffset));
          else step(nextBeginOffset);
        });
      };
      step(from(queueId));
    });
  }
  const seconds = (performance.now() - begin) / 1000;
  return { perSecond: messages / seconds, mibPerSecond: bytes / MIB / seconds };
}

/** One message at a random offset of a random queue, one after the other. */
export function randomReads(store: FileMessageStore, perQueue: number, count: number): Promise<LookupRate> {
  return oneByOne(
    count,
    () =>
      new Promise((resolve) => {
        const request = {
          topic: TOPIC,
          queueId: Math.floor(Math.random() * QUEUES),
          offset: Math.floor(Math.random() * perQueue),
          messagesMax: 1,
          bytesMax: PULL_BYTES,
        };
        store.get(request, (result) => {
          if (result.status !== "FOUND") throw new Error(`a stored message was not found: ${result.status}`);
          result.release();
          resolve();
        });
      }),
  );
}

/** The offset at a random moment of the time that was appended in. */
export async function timeLookups(store: FileMessageStore, count: number): Promise<LookupRate> {
  const first = await new Promise<number>((resolve) => store.storeTimestampAt(TOPIC, 0, 0, resolve));
  const span = store.status().lastStoreTimestamp - first;
  return oneByOne(
    count,
    () =>
      new Promise((resolve) => {
        const queueId = Math.floor(Math.random() * QUEUES);
        store.offsetByTime(TOPIC, queueId, first + Math.random() * span, "lower", () => resolve());
      }),
  );
}

async function oneByOne(count: number, once: () => Promise<void>): Promise<LookupRate> {
  const latencies = new Float64Array(count);
  const begin = performance.now();
  for (let index = 0; index < count; index++) {
    const started = performance.now();
    await once();
    latencies[index] = performance.now() - started;
  }
  const seconds = (performance.now() - begin) / 1000;
  latencies.sort();
  return { perSecond: count / seconds, p99Ms: latencies[Math.floor((count - 1) * 0.99)] ?? 0 };
}
