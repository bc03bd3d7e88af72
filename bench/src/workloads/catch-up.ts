/**
 * Catch-up: a backlog is built by the pipelined loader, then read from its beginning by the raw puller, 32 messages a
 * pull. Warm: the page cache holds what it holds; cold: it was dropped in between (root only).
 */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PullerOptions, PullerResult } from "../load/puller.ts";
import { runLoader } from "../load/run-loader.ts";
import { memoryOf } from "../measure/process-cpu.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import type { BenchServer } from "../servers/bench-server.ts";
import type { Goal, Measured, Workload } from "./workload.ts";

const TOPIC = "Backlog";
const QUEUES = 4;
const STORED_TIMEOUT_MS = 120_000;

export function catchUp(messages: number, bodyBytes: number, isCold: boolean): Workload {
  const how = isCold ? "cold" : "warm";
  const count = messages >= 1e6 ? `${messages / 1e6}m` : `${messages / 1e3}k`;
  return {
    id: `catch-up-${how}-${count}-${bodyBytes}`,
    title: `raw puller catches up ${messages.toLocaleString("en")} messages of ${bodyBytes} B, ${how}`,
    fitsNull: false,
    goal: (): Goal => ({ rate: isCold ? 1.2 : 3 }),
    run: (server) => measure(server, messages, bodyBytes, isCold),
  };
}

async function measure(
  server: BenchServer,
  messages: number,
  bodyBytes: number,
  isCold: boolean,
): Promise<Measured> {
  const [host = "", text = ""] = server.brokerAddr.split(":");
  const port = Number(text);
  const { acknowledgedInTotal } = await runLoader({
    host,
    port,
    topic: TOPIC,
    queues: QUEUES,
    bodyBytes,
    connections: 16,
    inFlight: 16,
    warmUpMs: 0,
    durationMs: 0,
    messagesMin: messages,
  });
  await awaitStored(server.brokerAddr, TOPIC, QUEUES, acknowledgedInTotal, STORED_TIMEOUT_MS);
  if (isCold) {
    await promisify(execFile)("sync");
    writeFileSync("/proc/sys/vm/drop_caches", "1");
  }
  const options: PullerOptions = {
    host,
    port,
    topic: TOPIC,
    queues: QUEUES,
    messages: acknowledgedInTotal,
    serverPids: server.pids,
  };
  const script = join(import.meta.dirname, "../load/puller.ts");
  const args = ["--conditions=orbitmq-source", "--import", "tsx", script, JSON.stringify(options)];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const result = JSON.parse(stdout) as PullerResult;
  return {
    perSecond: result.perSecond,
    refused: 0,
    serverCpuUs: result.serverCpuUs,
    serverThreadUs: result.serverThreadUs,
    serverRssMiB: memoryOf(server.pids).rssMiB,
    clientCores: (result.cpuSeconds * result.perSecond) / result.messages,
  };
}
