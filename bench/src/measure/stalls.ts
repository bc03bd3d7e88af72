/** Asks the probe in a server (stall-probe.mjs) how long its event loop stood still since it was last asked. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { BenchServer } from "../servers/bench-server.ts";

export interface Stalls {
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

const ANSWER_TIMEOUT_MS = 10_000;
const LOOK_MS = 20;

export async function takeStalls({ pids, stallFile }: BenchServer): Promise<Stalls> {
  const [pid] = pids;
  if (stallFile === undefined || pid === undefined) throw new Error("the server runs without a stall probe");
  rmSync(stallFile, { force: true });
  process.kill(pid, "SIGUSR2");
  const deadline = performance.now() + ANSWER_TIMEOUT_MS;
  while (!existsSync(stallFile)) {
    if (performance.now() > deadline) throw new Error("the stall probe does not answer");
    await delay(LOOK_MS);
  }
  return JSON.parse(readFileSync(stallFile, "utf8")) as Stalls;
}
