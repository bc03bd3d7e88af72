/**
 * 1,000 messages a second, from the call of send to the listener: by RocketMQ's official client and by ours, each
 * against every server, producer and consumer in one process.
 */
import type { EndToEndOptions, EndToEndResult } from "../load/end-to-end.ts";
import { javaFigures } from "../load/java-figures.ts";
import { runProcess } from "../load/run-process.ts";
import type { Metrics } from "../measure/metrics.ts";
import { type Goal, ORIGINAL } from "../results/goal.ts";
import { memoryMetrics, someTopics } from "./load.ts";
import type { Stage, Workload } from "./workload.ts";

const PER_SECOND = 1_000;
const WARM_UP_SECONDS = 5;
const BODY_BYTES = 128;
const QUEUES = 4;
const SLACK_MS = 60_000;
/** A percentile of a thousandth needs some thousands. */
const SECONDS_LEAST = 10;

const goals = (flush: string): Goal[] =>
  flush === "SYNC_FLUSH"
    ? [
        { metric: "p50Ms", beside: ORIGINAL, atMost: 0.7 },
        { metric: "p99Ms", beside: ORIGINAL, atMost: 0.4 },
        { metric: "p999Ms", beside: ORIGINAL, atMost: 0.2 },
      ]
    : [];

export const endToEndJava: Workload = {
  id: "end-to-end-java-client",
  title: "born to listener at 1,000 messages/s, Java client",
  servers: ["orbitmq", "java"],
  goals,
  run: byJava,
};

export const endToEndOurs: Workload = {
  id: "end-to-end-our-client",
  title: "born to listener at 1,000 messages/s, our client",
  servers: ["orbitmq", "java"],
  goals,
  run: byOurs,
};

async function byJava({ server, seconds, folder }: Stage): Promise<Metrics> {
  const [topic = ""] = await someTopics(server, 1, QUEUES, "EndToEnd");
  const counted = Math.max(SECONDS_LEAST, Math.round(seconds));
  const numbers = [PER_SECOND, WARM_UP_SECONDS, counted, BODY_BYTES].map(String);
  const {
    said,
    server: used,
    client,
  } = await javaFigures(
    {
      mainClass: "bench.EndToEnd",
      args: [server.namesrvAddr, topic, "end_to_end", ...numbers],
      folder,
    },
    server.pids,
    (WARM_UP_SECONDS + counted) * 1000 + SLACK_MS,
  );
  if (said["lost"] !== 0) throw new Error(`${said["lost"]} acknowledged messages did not come`);
  const messages = said["messages"] ?? 0;
  return {
    p50Ms: (said["p50Us"] ?? 0) / 1000,
    p99Ms: (said["p99Us"] ?? 0) / 1000,
    p999Ms: (said["p999Us"] ?? 0) / 1000,
    serverCpuUs: (used.total * 1e6) / messages,
    clientCpuUs: (client.total * 1e6) / messages,
    refused: said["failed"] ?? 0,
    ...memoryMetrics(server),
  };
}

async function byOurs({ server, seconds }: Stage): Promise<Metrics> {
  const [topic = ""] = await someTopics(server, 1, QUEUES, "EndToEnd");
  const options: EndToEndOptions = {
    namesrv: server.namesrvAddr,
    topic,
    group: "end_to_end",
    perSecond: PER_SECOND,
    warmUpSeconds: WARM_UP_SECONDS,
    seconds: Math.max(SECONDS_LEAST, Math.round(seconds)),
    bodyBytes: BODY_BYTES,
    serverPids: server.pids,
  };
  return {
    ...latencies(await runProcess<EndToEndResult>("end-to-end.ts", options)),
    ...memoryMetrics(server),
  };
}

/** Throws when messages did not come. */
export function latencies(result: EndToEndResult): Metrics {
  const { lost, failed, p50Ms, p99Ms, p999Ms, serverCpuUs, clientCpuUs } = result;
  if (lost > 0) throw new Error(`${lost} acknowledged messages did not come`);
  return { p50Ms, p99Ms, p999Ms, serverCpuUs, clientCpuUs, refused: failed };
}
