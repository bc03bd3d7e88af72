/**
 * The broker under test as its own process, started as a user starts it, with its CPU time and memory read
 * from /proc so that the measured process does no extra work.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const CLOCK_TICKS_PER_SECOND = 100;

export interface ServerProcess {
  readonly namesrvAddr: string;
  readonly brokerAddr: string;
  /** Milliseconds from launch to the ready line. */
  readonly readyMs: number;
  /** CPU seconds used since launch. */
  cpuSeconds(): number;
  rssMiB(): number;
  stop(): Promise<void>;
}

/** Starts `orbitmq server` from the built command on free ports with its store in `home`. */
export async function startServer(home: string, options: readonly string[]): Promise<ServerProcess> {
  const cli = join(import.meta.dirname, "../../packages/orbitmq/dist/cli.js");
  const begin = performance.now();
  const child = spawn(
    process.execPath,
    [
      cli,
      "server",
      "--home",
      home,
      "--namesrv-port",
      "0",
      "--broker-port",
      "0",
      "--json",
      "--log-level",
      "warn",
      ...options,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ready = await readyLine(child);
  const readyMs = performance.now() - begin;
  const pid = child.pid as number;
  return {
    namesrvAddr: ready.namesrv,
    brokerAddr: ready.broker,
    readyMs,
    cpuSeconds: () => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
    },
    rssMiB: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024,
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => resolve());
        child.kill("SIGTERM");
      }),
  };
}

async function readyLine(child: ChildProcess): Promise<{ namesrv: string; broker: string }> {
  const stdout = child.stdout;
  if (stdout === null) throw new Error("the server's stdout is not piped");
  for await (const line of createInterface({ input: stdout })) {
    const ready = JSON.parse(line) as { namesrv: string; broker: string };
    stdout.resume();
    return ready;
  }
  throw new Error(`the server ended before it was ready (exit code ${child.exitCode})`);
}
