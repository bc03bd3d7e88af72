/** Appends for the measurements: a number of them always waiting, or as many as the store takes. */
import type { Host } from "@orbitmq/host";
import type { AppendResult, AppendWaiter, Durability, FileMessageStore } from "@orbitmq/store";
import type { RecordInput } from "@orbitmq/wire";

export const TOPIC = "BenchTopic";
export const QUEUES = 8;
const BODY_BYTES = 128;
const MESSAGES_PREPARED = 1024;
const BURST = 512;
const BUSY_MS = 5;

export interface MessageShape {
  readonly topic?: string;
  readonly queues?: number;
  readonly bodyBytes?: number;
}

const HOST = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f);

/** UNIQ_KEY of message `index`. */
export function uniqKey(index: number): string {
  return `7F00000100002A9F${index.toString(16).toUpperCase().padStart(16, "0")}`;
}

export function message(index: number, shape: MessageShape = {}, properties = ""): RecordInput {
  const { topic = TOPIC, queues = QUEUES, bodyBytes = BODY_BYTES } = shape;
  return {
    topic,
    queueId: index % queues,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: HOST,
    storeHost: HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(bodyBytes).fill(index & 0x7f),
    properties: `UNIQ_KEY\u0001${uniqKey(index)}\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002${properties}`,
  };
}

function prepared(shape: MessageShape): RecordInput[] {
  return Array.from({ length: MESSAGES_PREPARED }, (_, index) => message(index, shape));
}

export interface Appended {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Of this process, all threads. */
  readonly cpuUs: number;
}

/** Told of every append: its place in the log, and how long it took. */
export type LatencySink = (physicalOffset: number, ms: number) => void;

/** Each settled append is followed by the next; where the store is busy, it is tried again. Rejects when one is refused. */
export function appendFor(
  host: Pick<Host, "timers">,
  store: FileMessageStore,
  waiting: number,
  durability: Durability,
  durationMs: number,
  sink?: LatencySink,
): Promise<Appended> {
  const messages = prepared({});
  const latencies: number[] = [];
  let sent = 0;
  /** Sent, and not settled. */
  let open = 0;
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const end = begin + durationMs;
  return new Promise((resolve, reject) => {
    class Waiter implements AppendWaiter {
      #sentMs = 0;
      #offset = 0;
      send(): void {
        this.#sentMs = performance.now();
        open++;
        this.#append();
      }
      #append(): void {
        const result = store.append(messages[sent % MESSAGES_PREPARED]!, durability, this);
        if (result.status === "appended") {
          sent++;
          this.#offset = result.physicalOffset;
        } else if (result.reason === "BUSY") {
          // The time it has waited so far is part of its latency: so a client would see it.
          host.timers.after(BUSY_MS, () => this.#append());
        } else reject(refusal(result));
      }
      appendSettled(): void {
        const now = performance.now();
        open--;
        latencies.push(now - this.#sentMs);
        sink?.(this.#offset, now - this.#sentMs);
        if (now < end) this.send();
        else if (open === 0) finish(now);
      }
    }
    const finish = (now: number): void => {
      const settled = latencies.length;
      const used = process.cpuUsage(cpu);
      const sorted = Float64Array.from(latencies).sort();
      resolve({
        perSecond: (settled * 1000) / (now - begin),
        p50Ms: percentile(sorted, 0.5),
        p99Ms: percentile(sorted, 0.99),
        p999Ms: percentile(sorted, 0.999),
        cpuUs: (used.user + used.system) / settled,
      });
    };
    for (let index = 0; index < waiting; index++) new Waiter().send();
  });
}

/** Of sorted numbers; 0 of none. */
export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
}

/** Appends `count` messages, as `each` makes them; where the store is busy, it waits. */
export function appendMany(
  host: Pick<Host, "timers">,
  store: FileMessageStore,
  count: number,
  each: (index: number) => RecordInput,
): Promise<void> {
  let sent = 0;
  let settled = 0;
  return new Promise((resolve, reject) => {
    const waiter: AppendWaiter = {
      appendSettled: () => {
        settled++;
        if (settled === count) resolve();
        else if (settled === sent) burst();
      },
    };
    const burst = (): void => {
      for (let left = Math.min(BURST, count - sent); left > 0; left--) {
        const result = store.append(each(sent), "written", waiter);
        if (result.status === "appended") {
          sent++;
          continue;
        }
        if (result.reason !== "BUSY") {
          reject(refusal(result));
          return;
        }
        // Those that wait go on; when none do, nobody else would.
        if (settled === sent) host.timers.after(BUSY_MS, burst);
        return;
      }
    };
    burst();
  });
}

/** Messages of one shape, the same 1024 again and again. */
export function repeated(shape: MessageShape): (index: number) => RecordInput {
  const messages = prepared(shape);
  return (index) => messages[index % MESSAGES_PREPARED]!;
}

function refusal(result: AppendResult): Error {
  return new Error(result.status === "refused" ? `${result.reason}: ${result.remark}` : "appended");
}
