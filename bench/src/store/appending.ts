/** Appends of 128 B bodies: a number of them always waiting, or as many as the store takes. */
import type { AppendWaiter, Durability, FileMessageStore } from "@orbitmq/store";
import type { RecordInput } from "@orbitmq/wire";

export const TOPIC = "BenchTopic";
export const QUEUES = 8;
const BODY_BYTES = 128;
const MESSAGES_PREPARED = 1024;
/** Every so many-th append's latency is kept. */
const SAMPLED = 16;
const BURST = 512;

function message(index: number): RecordInput {
  return {
    topic: TOPIC,
    queueId: index % QUEUES,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f),
    storeHost: Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(BODY_BYTES).fill(index & 0x7f),
    properties: `UNIQ_KEY\u00017F00000100000000000000${index}\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002`,
  };
}

const messages = Array.from({ length: MESSAGES_PREPARED }, (_, index) => message(index));

export interface Appended {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Of this process, all threads. */
  readonly cpuUs: number;
}

/** Each settled append is followed by the next. Throws when one is refused. */
export function appendFor(
  store: FileMessageStore,
  waiting: number,
  durability: Durability,
  durationMs: number,
): Promise<Appended> {
  const latencies: number[] = [];
  let sent = 0;
  let settled = 0;
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const end = begin + durationMs;
  return new Promise((resolve) => {
    class Waiter implements AppendWaiter {
      #sentMs = 0;
      send(): void {
        this.#sentMs = performance.now();
        const result = store.append(messages[sent++ % MESSAGES_PREPARED]!, durability, this);
        if (result.status !== "appended") throw new Error(result.remark);
      }
      appendSettled(): void {
        const now = performance.now();
        if (++settled % SAMPLED === 0) latencies.push(now - this.#sentMs);
        if (now < end) this.send();
        else if (settled === sent) finish(now);
      }
    }
    const finish = (now: number): void => {
      const used = process.cpuUsage(cpu);
      const sorted = Float64Array.from(latencies).sort();
      const percentile = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
      resolve({
        perSecond: (settled * 1000) / (now - begin),
        p50Ms: percentile(0.5),
        p99Ms: percentile(0.99),
        p999Ms: percentile(0.999),
        cpuUs: (used.user + used.system) / settled,
      });
    };
    for (let index = 0; index < waiting; index++) new Waiter().send();
  });
}

/** As many as asked for, spread over the queues. */
export function appendMany(store: FileMessageStore, count: number): Promise<void> {
  let sent = 0;
  let settled = 0;
  return new Promise((resolve) => {
    const waiter: AppendWaiter = {
      appendSettled: () => {
        settled++;
        if (settled === count) resolve();
        else if (settled === sent) burst();
      },
    };
    const burst = (): void => {
      for (let left = Math.min(BURST, count - sent); left > 0; left--) {
        const result = store.append(messages[sent++ % MESSAGES_PREPARED]!, "written", waiter);
        if (result.status !== "appended") throw new Error(result.remark);
      }
    };
    burst();
  });
}
