/** The null broker as a server to measure: what a client can do at most, and what our RPC costs by itself. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { killAtExit } from "../left-behind.ts";
import { bundled } from "../load/bundled.ts";
import { NOTHING } from "../results/goal.ts";
import type { BenchServer, BenchServerOptions, Contestant } from "./bench-server.ts";
import { probing } from "./probes.ts";

export const nullBroker: Contestant = { name: NOTHING, kind: "null", start };

async function start(asked: BenchServerOptions): Promise<BenchServer> {
  const begin = performance.now();
  const script = bundled(join(import.meta.dirname, "null-broker.ts"));
  const child = spawn(process.execPath, [script], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...probing(asked) },
  });
  const ended = killAtExit(child.pid as number);
  const [address] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return {
    name: NOTHING,
    kind: "null",
    about: "answers, stores nothing",
    namesrvAddr: address,
    brokerAddr: address,
    pids: [child.pid as number],
    readyMs: performance.now() - begin,
    stores: false,
    ...(asked.stallFile === undefined ? {} : { stallFile: asked.stallFile }),
    stop: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
      ended();
    },
  };
}
