/**
 * Catch-up: a backlog is built by the pipelined loader, then read from its beginning. By the raw puller (32 messages
 * a pull), by RocketMQ's push consumer, by ours; warm, where the page cache and the server hold what they hold.
 */
import type { ConsumeAllOptions, ConsumeAllResult } from "../load/consume-all.ts";
import { javaFigures } from "../load/java-figures.ts";
import type { PullerOptions, PullerResult } from "../load/puller.ts";
import { runProcess } from "../load/run-process.ts";
import type { Metrics } from "../measure/metrics.ts";
import { type Goal, ORIGINAL, OURS } from "../results/goal.ts";
import type { BenchServer } from "../servers/bench-server.ts";
import { fill, memoryMetrics, placeOf, someTopics } from "./load.ts";
import type { Measured, Stage, Workload } from "./workload.ts";

export const BACKLOG_QUEUES = 8;
/** Messages of 128 B a second. */
const RAW_LEAST = 600_000;
const JAVA_TIMEOUT_MS = 600_000;

/** Who reads, as tables call it, and how it reads so many messages of the topic. */
const readers: Readonly<
  Record<string, (stage: Stage, server: BenchServer, topic: string, messages: number) => Promise<Metrics>>
> = {
  "raw puller": byPuller,
  "Java push consumer": byJava,
  "our push consumer": byOurs,
};
const on = (reader: string, server: string): string => `${reader} on ${server}`;

const rawBound: Goal = { metric: "perSecond", of: on("raw puller", OURS), atLeast: RAW_LEAST };

/** All of them read the same backlog, one after the other, each in a group of its own. */
export function catchUp(messages: number, bodyBytes: number): Workload {
  const besideOriginal = (reader: string, goal: Goal): Goal => ({
    ...goal,
    of: on(reader, OURS),
    beside: on(reader, ORIGINAL),
  });
  return {
    id: `catch-up-${bodyBytes}`,
    title: `catching up ${messages.toLocaleString("en")} messages of ${bodyBytes} B, warm`,
    servers: ["orbitmq", "java"],
    // What is read was flushed long ago, whichever way.
    flushes: ["ASYNC_FLUSH"],
    goals: () => [
      besideOriginal("raw puller", { metric: "perSecond", atLeast: 3 }),
      ...(bodyBytes > 512 ? [] : [rawBound]),
      besideOriginal("Java push consumer", { metric: "perSecond", atLeast: 1.1 }),
      besideOriginal("Java push consumer", { metric: "serverCpuUs", atMost: 0.5 }),
    ],
    async run(stage) {
      const { server } = stage;
      const [topic = ""] = await someTopics(server, 1, BACKLOG_QUEUES, "Backlog");
      const load = { topics: [topic], queues: BACKLOG_QUEUES, bodyBytes };
      const stored = await fill(server, stage.scaled(messages), load);
      const measured: Measured[] = [];
      for (const [reader, read] of Object.entries(readers)) {
        const metrics = await read(stage, server, topic, stored);
        measured.push({ who: on(reader, server.name), about: server.about, metrics });
      }
      return measured;
    },
  };
}

async function byPuller(
  _stage: Stage,
  server: BenchServer,
  topic: string,
  messages: number,
): Promise<Metrics> {
  const options: PullerOptions = {
    ...placeOf(server.brokerAddr),
    topics: [topic],
    queues: BACKLOG_QUEUES,
    messages,
    serverPids: server.pids,
  };
  return { ...pullerMetrics(await runProcess<PullerResult>("puller.ts", options)), ...memoryMetrics(server) };
}

export function pullerMetrics(result: PullerResult): Metrics {
  const { perSecond, serverCpuUs, serverThreadUs, cpuSeconds, seconds } = result;
  return { perSecond, serverCpuUs, serverThreadUs, clientCores: cpuSeconds / seconds };
}

async function byJava(stage: Stage, server: BenchServer, topic: string, messages: number): Promise<Metrics> {
  const {
    seconds,
    server: used,
    client,
  } = await javaFigures(
    {
      mainClass: "bench.CatchUp",
      args: [server.namesrvAddr, topic, "catch_up_java", String(messages)],
      folder: stage.folder,
    },
    server.pids,
    JAVA_TIMEOUT_MS,
  );
  return {
    perSecond: messages / seconds,
    serverCpuUs: (used.total * 1e6) / messages,
    serverThreadUs: (used.busiestThread * 1e6) / messages,
    clientCores: client.total / seconds,
    ...memoryMetrics(server),
  };
}

async function byOurs(_stage: Stage, server: BenchServer, topic: string, messages: number): Promise<Metrics> {
  const options: ConsumeAllOptions = {
    namesrv: server.namesrvAddr,
    topic,
    group: "catch_up_ours",
    messages,
    serverPids: server.pids,
  };
  const { perSecond, seconds, cpuSeconds, serverCpuUs, serverThreadUs } = await runProcess<ConsumeAllResult>(
    "consume-all.ts",
    options,
  );
  const clientCores = cpuSeconds / seconds;
  return { perSecond, serverCpuUs, serverThreadUs, clientCores, ...memoryMetrics(server) };
}
