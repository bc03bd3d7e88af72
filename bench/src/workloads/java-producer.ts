/**
 * RocketMQ's own load generators, `benchmark.Producer` and `benchmark.BatchProducer`, as they come. They print a line
 * every second; those after the warm-up count. They never end by themselves: they are killed, and the queues must
 * then hold what the lines have counted, and no more than that and what a line's time may add.
 */
import { createInterface } from "node:readline";
import { startJava } from "../load/java-program.ts";
import type { Metrics } from "../measure/metrics.ts";
import { cpuBetween, cpuOf } from "../measure/process-cpu.ts";
import { watchServer } from "../measure/server-watch.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import { type Goal, NOTHING, ORIGINAL } from "../results/goal.ts";
import { memoryMetrics, someTopics } from "./load.ts";
import type { Stage, Workload } from "./workload.ts";

const WARM_UP_LINES = 4;
const QUEUES = 4;
const TOPIC = "BenchProducer";
/** Between the last line and the end, and before the first. */
const UNTOLD_SECONDS = 8;

export function javaProducer(threads: number, bodyBytes: number, isAsync: boolean): Workload {
  const args = ["-w", String(threads), "-s", String(bodyBytes), "-y", String(isAsync)];
  // Its asynchronous sends come from one thread, whatever it is told.
  const how = isAsync ? "async" : "sync";
  return producing({
    id: isAsync ? `producer-async-${bodyBytes}` : `producer-${how}-${threads}-${bodyBytes}`,
    title: `Java benchmark.Producer, ${how} sends${isAsync ? "" : `, ${threads} threads`}, ${bodyBytes} B`,
    mainClass: "Producer",
    args,
    goals: (flush): Goal[] => {
      if (isAsync || bodyBytes > 512 || (threads !== 64 && threads !== 1)) return [];
      const isSync = flush === "SYNC_FLUSH";
      if (threads === 1) return [{ metric: "perSecond", beside: ORIGINAL, atLeast: isSync ? 1.8 : 1.1 }];
      return [
        { metric: "perSecond", beside: ORIGINAL, atLeast: isSync ? 1.6 : 1.3 },
        { metric: "perSecond", beside: NOTHING, atLeast: isSync ? 0.85 : 0.9 },
      ];
    },
  });
}

export function javaBatchProducer(threads: number, batch: number): Workload {
  return producing({
    id: `batch-producer-${threads}-${batch}`,
    title: `Java benchmark.BatchProducer, ${threads} threads, ${batch} a batch, 128 B`,
    mainClass: "BatchProducer",
    args: ["-w", String(threads), "-b", String(batch), "-s", "128"],
    goals: () => [{ metric: "perSecond", beside: ORIGINAL, atLeast: 2 }],
  });
}

interface Producing extends Pick<Workload, "id" | "title" | "goals"> {
  readonly mainClass: string;
  readonly args: readonly string[];
}

function producing({ mainClass, args, ...rest }: Producing): Workload {
  return {
    ...rest,
    servers: ["orbitmq", "java", "null"],
    run: (stage) => produce(mainClass, args, stage),
  };
}

async function produce(mainClass: string, args: readonly string[], stage: Stage): Promise<Metrics> {
  const { server, seconds } = stage;
  const topics = await someTopics(server, 1, QUEUES, TOPIC);
  const jvm = await startJava({
    mainClass: `org.apache.rocketmq.example.benchmark.${mainClass}`,
    args: ["-n", server.namesrvAddr, "-t", TOPIC, "-ri", "1000", ...args],
    folder: stage.folder,
  });
  const rows: ProducerLine[] = [];
  const lines = WARM_UP_LINES + Math.max(1, Math.round(seconds));
  let before: ReturnType<typeof watch> | undefined;
  try {
    for await (const text of createInterface({ input: jvm.stdout })) {
      const line = parseProducerLine(text);
      if (line === undefined) continue;
      rows.push(line);
      if (rows.length === WARM_UP_LINES) before = watch(server.pids, jvm.pid);
      if (rows.length === lines) break;
    }
    if (before === undefined || rows.length < lines) {
      throw new Error(`${mainClass} ended after ${rows.length} lines`);
    }
    const elapsed = (performance.now() - before.atMs) / 1000;
    const used = before.serverUse();
    const client = cpuBetween(before.client, cpuOf([jvm.pid]));
    const counted = rows.slice(WARM_UP_LINES);
    const perSecond = counted.reduce((sum, row) => sum + row.messages, 0) / counted.length;
    const messages = Math.max(1, perSecond * elapsed);
    const metrics: Metrics = {
      perSecond,
      refused: (rows.at(-1)?.failed ?? 0) - (rows[WARM_UP_LINES - 1]?.failed ?? 0),
      serverCpuUs: (used.total * 1e6) / messages,
      serverThreadUs: (used.busiestThread * 1e6) / messages,
      ...memoryMetrics(server),
      clientCores: client.total / elapsed,
    };
    await jvm.kill();
    if (!server.stores) return metrics;
    const stored = { topics, queues: QUEUES, ...storedBounds(rows) };
    return { ...metrics, caughtUpMs: await awaitStored(server.brokerAddr, stored) };
  } finally {
    await jvm.kill();
  }
}

function watch(server: readonly number[], client: number) {
  return { serverUse: watchServer(server), client: cpuOf([client]), atMs: performance.now() };
}

export interface ProducerLine {
  readonly messages: number;
  readonly failed: number;
}

/**
 * `… | Send TPS: 11400 | Max RT(ms): 21 | Average RT(ms): 5.6 | Send Failed: 0 | …`; of batches also
 * `| Send MPS: 364800 |`, the messages in them.
 */
export function parseProducerLine(text: string): ProducerLine | undefined {
  const match = /Send TPS: (\d+)(?: \| Send MPS: (\d+))? .*Send Failed: (\d+)/.exec(text);
  if (match === null) return undefined;
  return { messages: Number(match[2] ?? match[1]), failed: Number(match[3]) };
}

/** A line tells whole messages per second of about a second. */
export function storedBounds(rows: readonly ProducerLine[]): { atLeast: number; atMost: number } {
  const told = rows.reduce((sum, row) => sum + row.messages, 0);
  const most = Math.max(...rows.map(({ messages }) => messages));
  return {
    atLeast: Math.floor(told * 0.99) - rows.length,
    atMost: Math.ceil(told * 1.01 + most * UNTOLD_SECONDS),
  };
}
