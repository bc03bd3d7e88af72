/**
 * Catch-up: a backlog is built by the pipelined loader, then read from its beginning. By the raw puller (32 messages
 * a pull), by RocketMQ's push consumer, by ours; warm, where the page cache and the server hold what they hold.
 */
import type { ConsumeAllOptions, ConsumeAllResult } from "../load/consume-all.ts";
import { javaFigures } from "../load/java-figures.ts";
import type { PullerOptions, PullerResult } from "../load/puller.ts";
import { runProcess } from "../load/run-process.ts";
import type { Metrics } from "../measure/metrics.ts";
import { type Goal, ORIGINAL } from "../results/goal.ts";
import type { BenchServer } from "../servers/bench-server.ts";
import { fill, memoryMetrics, placeOf, someTopics } from "./load.ts";
import type { Stage, Workload } from "./workload.ts";

export const BACKLOG_QUEUES = 8;
const JAVA_TIMEOUT_MS = 600_000;

/** Reads so many messages of the topic. */
type Reading = (stage: Stage, server: BenchServer, topic: string, messages: number) => Promise<Metrics>;

export const catchUpRaw = (messages: number, bodyBytes: number): Workload =>
  catchUp("raw", "raw puller", messages, bodyBytes, byPuller, (): Goal[] => [
    { metric: "perSecond", beside: ORIGINAL, atLeast: 3 },
    ...(bodyBytes > 512 ? [] : [{ metric: "perSecond", atLeast: 600_000 } as const]),
  ]);

export const catchUpJava = (messages: number, bodyBytes: number): Workload =>
  catchUp("java-client", "Java push consumer", messages, bodyBytes, byJava, () => [
    { metric: "perSecond", beside: ORIGINAL, atLeast: 1.1 },
    { metric: "serverCpuUs", beside: ORIGINAL, atMost: 0.5 },
  ]);

export const catchUpOurs = (messages: number, bodyBytes: number): Workload =>
  catchUp("our-client", "our push consumer", messages, bodyBytes, byOurs, () => []);

function catchUp(
  id: string,
  title: string,
  messages: number,
  bodyBytes: number,
  read: Reading,
  goals: () => readonly Goal[],
): Workload {
  return {
    id: `catch-up-${id}-${bodyBytes}`,
    title: `${title} catches up ${messages.toLocaleString("en")} messages of ${bodyBytes} B, warm`,
    servers: ["orbitmq", "java"],
    // What is read was flushed long ago, whichever way.
    flushes: ["ASYNC_FLUSH"],
    goals,
    async run(stage) {
      const [topic = ""] = await someTopics(stage.server, 1, BACKLOG_QUEUES, "Backlog");
      const load = { topics: [topic], queues: BACKLOG_QUEUES, bodyBytes };
      const stored = await fill(stage.server, stage.scaled(messages), load);
      return read(stage, stage.server, topic, stored);
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
      args: [server.namesrvAddr, topic, "catch_up", String(messages)],
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
    group: "catch_up",
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
