/**
 * OrbitMQ beside systems of other kinds that are installed here (Debian: redis-server, nats-server, rabbitmq-server):
 * one connection, 64 in flight, 128 B, each in its turn. What is not installed is left out.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "@orbitmq/interop";
import { installNodeClients } from "../clients/installed.ts";
import { runProcess } from "../load/run-process.ts";
import { memoryOf } from "../measure/process-cpu.ts";
import { NATS, nats } from "../others/nats.ts";
import type { OrderedLoadOptions, OrderedLoadResult } from "../others/ordered-load.ts";
import type { OtherSystem } from "../others/other-system.ts";
import { rabbitmq } from "../others/rabbitmq.ts";
import { REDIS, redis } from "../others/redis.ts";
import type { Goal } from "../results/goal.ts";
import { pipelined } from "./pipelined.ts";
import type { Measured, Stage, Workload } from "./workload.ts";

const BODY_BYTES = 128;
const IN_FLIGHT = 64;
const WARM_UP_MS = 2_000;
const STARTING_MS = 1_000;
const ours = pipelined(`1x${IN_FLIGHT}`, BODY_BYTES);

export const otherSystems: Workload = {
  id: "other-systems",
  title: `beside other systems, 1×${IN_FLIGHT}, ${BODY_BYTES} B`,
  servers: ["orbitmq"],
  goals: (flush): Goal[] => [
    { metric: "perSecond", beside: flush === "SYNC_FLUSH" ? REDIS : NATS, atLeast: 1 },
  ],
  async run(stage) {
    const metrics = (await ours.run(stage)) as Measured["metrics"];
    const { name: who, about } = stage.server;
    const measured: Measured[] = [{ who, about, metrics }];
    // They have the machine to themselves, as ours had.
    await stage.server.stop("kill");
    for (const system of [redis, nats, rabbitmq]) {
      const version = system.version();
      if (system.flush === stage.flush && version !== undefined)
        measured.push(await measure(system, version, stage));
    }
    return measured;
  },
};

async function measure(system: OtherSystem, version: string, stage: Stage): Promise<Measured> {
  if (system.system === "rabbitmq") installNodeClients();
  const port = await freePort();
  const running = await system.start(join(stage.folder), port);
  try {
    // A start script has its server by then; the load waits for it to listen.
    await delay(STARTING_MS);
    const options: OrderedLoadOptions = {
      system: system.system,
      port,
      inFlight: IN_FLIGHT,
      bodyBytes: BODY_BYTES,
      warmUpMs: WARM_UP_MS,
      durationMs: stage.seconds * 1000,
      serverPids: running.pids(),
    };
    const result = await runProcess<OrderedLoadResult>(`../others/${system.script}`, options);
    if (result.stored !== result.acknowledgedInTotal) {
      throw new Error(`${system.name}: ${result.acknowledgedInTotal} acknowledged, ${result.stored} stored`);
    }
    const { perSecond, p50Ms, p99Ms, p999Ms, serverCpuUs, serverThreadUs, cpuSeconds, seconds } = result;
    return {
      who: system.name,
      about: version,
      metrics: {
        perSecond,
        p50Ms,
        p99Ms,
        p999Ms,
        serverCpuUs,
        serverThreadUs,
        serverRssMiB: memoryOf(running.pids()).rssMiB,
        clientCores: cpuSeconds / seconds,
      },
    };
  } finally {
    await running.stop();
  }
}
