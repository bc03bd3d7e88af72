/** Resident memory: some seconds after the start, and under full load when so many messages are stored. */
import { setTimeout as delay } from "node:timers/promises";
import { runLoader } from "../load/run-loader.ts";
import { memoryOf } from "../measure/process-cpu.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import { loaderMetrics, placeOf, someTopics } from "./load.ts";
import type { Workload } from "./workload.ts";

const IDLE_MS = 10_000;
const QUEUES = 4;

export function memory(messages: number): Workload {
  return {
    id: "memory",
    title: `memory, idle and under load (64×16, 128 B) with ${messages.toLocaleString("en")} messages stored`,
    servers: ["orbitmq", "java"],
    roundsMost: 3,
    goals: () => [
      { metric: "idleRssMiB", atMost: 90 },
      { metric: "serverRssMiB", atMost: 256 },
      { metric: "peakRssMiB", atMost: 256 },
    ],
    async run(stage) {
      const { server } = stage;
      await delay(IDLE_MS);
      const idleRssMiB = memoryOf(server.pids).rssMiB;
      const topics = await someTopics(server, 1, QUEUES, "Memory");
      const result = await runLoader({
        ...placeOf(server.brokerAddr),
        topics,
        queues: QUEUES,
        bodyBytes: 128,
        connections: 64,
        inFlight: 16,
        warmUpMs: 0,
        durationMs: 0,
        messagesMin: stage.scaled(messages),
        serverPids: server.pids,
      });
      const metrics = loaderMetrics(result, server);
      const stored = { topics, queues: QUEUES, atLeast: result.acknowledgedInTotal };
      return { idleRssMiB, ...metrics, caughtUpMs: await awaitStored(server.brokerAddr, stored) };
    },
  };
}
