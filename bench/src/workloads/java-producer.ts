/**
 * RocketMQ's own load generators, `benchmark.Producer` and `benchmark.BatchProducer`, as they come. They print a line
 * every second; those after the warm-up count.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { Jvm } from "@orbitmq/interop";
import { cpuBetween, cpuOf, memoryOf } from "../measure/process-cpu.ts";
import type { BenchServer } from "../servers/bench-server.ts";
import type { Goal, Measured, Workload } from "./workload.ts";

const WARM_UP_LINES = 4;
/**
 * `… | Send TPS: 11400 | Max RT(ms): 21 | Average RT(ms): 5.6 | Send Failed: 0 | …`; of batches also
 * `| Send MPS: 364800 |`, the messages in them.
 */
const LINE = /Send TPS: (\d+)(?: \| Send MPS: (\d+))? .*Send Failed: (\d+)/;
const fetchScript = join(import.meta.dirname, "../../java/fetch");

export function javaProducer(threads: number, bodyBytes: number, isAsync: boolean): Workload {
  const args = ["-w", String(threads), "-s", String(bodyBytes), "-y", String(isAsync)];
  const way = isAsync ? "async" : "sync";
  return producing({
    id: `producer-${way}-${threads}-${bodyBytes}`,
    title: `Java benchmark.Producer, ${way} sends, ${threads} threads, ${bodyBytes} B`,
    mainClass: "Producer",
    args,
    goal: (flush): Goal => {
      if (isAsync || bodyBytes > 512 || (threads !== 64 && threads !== 1)) return {};
      if (threads === 1) return { rate: flush === "SYNC_FLUSH" ? 1.8 : 1.1 };
      return flush === "SYNC_FLUSH" ? { rate: 1.6, ofNull: 0.85 } : { rate: 1.3, ofNull: 0.9 };
    },
  });
}

export function javaBatchProducer(threads: number, batch: number): Workload {
  return producing({
    id: `batch-producer-${threads}-${batch}`,
    title: `Java benchmark.BatchProducer, ${threads} threads, ${batch} a batch, 128 B`,
    mainClass: "BatchProducer",
    args: ["-w", String(threads), "-b", String(batch), "-s", "128"],
    goal: (): Goal => ({ rate: 2 }),
  });
}

interface Producing extends Pick<Workload, "id" | "title" | "goal"> {
  readonly mainClass: string;
  readonly args: readonly string[];
}

function producing({ mainClass, args, ...rest }: Producing): Workload {
  return {
    ...rest,
    fitsNull: true,
    run: (server, seconds) => produce(mainClass, args, server, seconds),
  };
}

async function produce(
  mainClass: string,
  args: readonly string[],
  server: BenchServer,
  seconds: number,
): Promise<Measured> {
  const { stdout: classpath } = await promisify(execFile)(fetchScript);
  const home = mkdtempSync(join(tmpdir(), "orbitmq-bench-java-"));
  const jvm = new Jvm({
    classpath: classpath.trim(),
    mainClass: `org.apache.rocketmq.example.benchmark.${mainClass}`,
    args: ["-n", server.namesrvAddr, "-t", "BenchProducer", "-ri", "1000", ...args],
    flags: ["-server", "-Xms512m", "-Xmx512m"],
    startsFast: false,
    home,
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const { stdout } = jvm.child;
    if (stdout === null) throw new Error("the producer's output is piped");
    const rows: RegExpExecArray[] = [];
    let before:
      | { server: ReturnType<typeof cpuOf>; client: ReturnType<typeof cpuOf>; atMs: number }
      | undefined;
    for await (const line of createInterface({ input: stdout })) {
      const match = LINE.exec(line);
      if (match === null) continue;
      rows.push(match);
      if (rows.length === WARM_UP_LINES) {
        before = { server: cpuOf(server.pids), client: cpuOf([jvm.pid]), atMs: performance.now() };
      }
      if (rows.length === WARM_UP_LINES + seconds) break;
    }
    if (before === undefined || rows.length < WARM_UP_LINES + seconds) {
      throw new Error(`${mainClass} ended after ${rows.length} lines`);
    }
    const elapsed = (performance.now() - before.atMs) / 1000;
    const used = cpuBetween(before.server, cpuOf(server.pids));
    const client = cpuBetween(before.client, cpuOf([jvm.pid]));
    const counted = rows.slice(WARM_UP_LINES);
    const perSecond = counted.reduce((sum, row) => sum + Number(row[2] ?? row[1]), 0) / counted.length;
    const messages = Math.max(1, perSecond * elapsed);
    return {
      perSecond,
      refused: Number(counted.at(-1)?.[3] ?? 0),
      serverCpuUs: (used.total * 1e6) / messages,
      serverThreadUs: (used.busiestThread * 1e6) / messages,
      serverRssMiB: memoryOf(server.pids).rssMiB,
      clientCores: client.total / elapsed,
    };
  } finally {
    await jvm.kill();
    rmSync(home, { recursive: true, force: true });
  }
}
