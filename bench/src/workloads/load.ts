/** What workloads do with the loader: topics are made first, and what was acknowledged is found again at the end. */
import { Admin } from "@orbitmq/client";
import type { LoaderOptions, LoaderResult } from "../load/loader.ts";
import { runLoader } from "../load/run-loader.ts";
import type { Metrics } from "../measure/metrics.ts";
import { memoryOf } from "../measure/process-cpu.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import type { BenchServer, ServerKind } from "../servers/bench-server.ts";

/**
 * How long a server is loaded before it is measured. V8 has compiled what it will within a second or two; a JVM on two
 * cores needs half a minute and more, and is several times as fast then.
 */
export const WARM_UP_MS: Readonly<Record<ServerKind, number>> = {
  orbitmq: 2_000,
  null: 2_000,
  java: 40_000,
};

export interface Place {
  readonly host: string;
  readonly port: number;
}

export function placeOf(brokerAddr: string): Place {
  const [host = "", port = ""] = brokerAddr.split(":");
  return { host, port: Number(port) };
}

/** On a server that stores; the null broker has every topic. */
export async function createTopics(
  server: Pick<BenchServer, "stores" | "namesrvAddr">,
  topics: readonly string[],
  queues: number,
): Promise<void> {
  if (!server.stores) return;
  const admin = new Admin({ namesrv: server.namesrvAddr });
  await admin.start();
  try {
    for (const topic of topics) await admin.createTopic(topic, { queues });
  } finally {
    await admin.shutdown();
  }
}

/** `Topic-0` …, made on the server. */
export async function someTopics(
  server: Pick<BenchServer, "stores" | "namesrvAddr">,
  count: number,
  queues: number,
  name = "Bench",
): Promise<string[]> {
  const topics = Array.from({ length: count }, (_, index) => (count === 1 ? name : `${name}-${index}`));
  await createTopics(server, topics, queues);
  return topics;
}

/** Stores so many messages as fast as it goes, and waits until they are all in their queues. Returns how many. */
export async function fill(
  server: BenchServer,
  messages: number,
  options: Pick<LoaderOptions, "topics" | "queues" | "bodyBytes">,
): Promise<number> {
  const { acknowledgedInTotal } = await runLoader({
    ...placeOf(server.brokerAddr),
    ...options,
    connections: 16,
    inFlight: 16,
    warmUpMs: 0,
    durationMs: 0,
    messagesMin: messages,
  });
  await awaitStored(server.brokerAddr, { ...options, atLeast: acknowledgedInTotal });
  return acknowledgedInTotal;
}

/** The loader's figures as metrics. */
export function loaderMetrics(result: LoaderResult, server: BenchServer): Metrics {
  return {
    perSecond: result.perSecond,
    p50Ms: result.p50Ms,
    p99Ms: result.p99Ms,
    p999Ms: result.p999Ms,
    refused: result.refused,
    serverCpuUs: result.serverCpuUs,
    serverThreadUs: result.serverThreadUs,
    ...memoryMetrics(server),
    clientCpuUs: (result.cpuSeconds * 1e6) / Math.max(1, result.acknowledged),
    clientCores: (result.cpuSeconds * result.perSecond) / Math.max(1, result.acknowledged),
  };
}

export function memoryMetrics(server: BenchServer): Metrics {
  const { rssMiB, peakMiB } = memoryOf(server.pids);
  const namesrv =
    server.namesrvPid === undefined ? {} : { namesrvRssMiB: memoryOf([server.namesrvPid]).rssMiB };
  return { serverRssMiB: rssMiB, peakRssMiB: peakMiB, ...namesrv };
}
