/**
 * Our client sending one kind of message with a fixed number in flight, run as its own process: plain, for a time, or in
 * a transaction whose local part does nothing. A transaction counts when `sendInTransaction` resolves: its half is
 * durable, its end on its way, as with RocketMQ's clients.
 *
 * Argument: one JSON object (KindDriverOptions). Prints one JSON line (LoaderResult).
 */
import { createHistogram } from "node:perf_hooks";
import { Producer, TransactionProducer } from "@orbitmq/client";
import type { LoaderResult } from "../load/loader.ts";
import type { SentKind } from "../load/send-frame.ts";
import { watchServer } from "../measure/server-watch.ts";

export interface KindDriverOptions {
  readonly namesrv: string;
  readonly kind: SentKind;
  readonly topic: string;
  readonly bodyBytes: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly serverPids: readonly number[];
}

const HOUR_MS = 3_600_000;
const options = JSON.parse(process.argv[2] ?? "{}") as KindDriverOptions;
const { namesrv, kind, topic } = options;
const body = Buffer.alloc(options.bodyBytes, 120);

async function sender(): Promise<() => Promise<unknown>> {
  if (kind === "transaction") {
    const producer = new TransactionProducer({
      namesrv,
      group: "bench_transactions",
      executeLocalTransaction: () => "COMMIT_MESSAGE",
      checkLocalTransaction: () => "COMMIT_MESSAGE",
    });
    await producer.start();
    return () => producer.sendInTransaction({ topic, body });
  }
  const producer = new Producer({ namesrv, group: "bench_plain" });
  await producer.start();
  if (kind === "plain") return () => producer.send({ topic, body });
  let count = 0;
  return () => producer.send({ topic, body, delayMs: HOUR_MS + ((count++ * 1_009) % 3_600) * 1_000 });
}

async function run(): Promise<LoaderResult> {
  const latency = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
  const send = await sender();
  let [total, acknowledged, refused] = [0, 0, 0];
  let [measuring, stopping] = [false, false];
  const lane = async (): Promise<void> => {
    while (!stopping) {
      const begin = performance.now();
      try {
        await send();
        total++;
        if (measuring) {
          acknowledged++;
          latency.record(Math.max(1, Math.round((performance.now() - begin) * 1_000)));
        }
      } catch (error) {
        if (refused++ === 0) console.error(error);
      }
    }
  };
  const lanes = Array.from({ length: options.inFlight }, lane);
  await new Promise((resolve) => setTimeout(resolve, options.warmUpMs));
  const cpu = process.cpuUsage();
  const serverUse = watchServer(options.serverPids);
  const begin = performance.now();
  measuring = true;
  await new Promise((resolve) => setTimeout(resolve, options.durationMs));
  measuring = false;
  const elapsedMs = performance.now() - begin;
  const used = process.cpuUsage(cpu);
  const server = serverUse();
  stopping = true;
  await Promise.all(lanes);
  return {
    acknowledged,
    refused,
    firstRefusal: 0,
    perSecond: (acknowledged * 1_000) / elapsedMs,
    p50Ms: latency.percentile(50) / 1_000,
    p99Ms: latency.percentile(99) / 1_000,
    p999Ms: latency.percentile(99.9) / 1_000,
    cpuSeconds: (used.user + used.system) / 1e6,
    serverCpuUs: (server.total * 1e6) / Math.max(1, acknowledged),
    serverThreadUs: (server.busiestThread * 1e6) / Math.max(1, acknowledged),
    acknowledgedInTotal: total,
  };
}

const result = await run();
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
