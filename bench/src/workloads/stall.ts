/**
 * How long OrbitMQ's event loop does not come round under full load, seen by a timer of 1 ms inside its process. What
 * the null broker's timer sees under the same load is the machine's and the loader's doing.
 */
import { runLoader } from "../load/run-loader.ts";
import { takeStalls } from "../measure/stalls.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import { loaderMetrics, placeOf, someTopics } from "./load.ts";
import type { Workload } from "./workload.ts";

const QUEUES = 4;
const WARM_UP_MS = 2_000;

export const stall: Workload = {
  id: "stall",
  title: "event-loop stall under full load (64×16, 128 B)",
  servers: ["orbitmq", "null"],
  needs: { stallProbe: true },
  goals: () => [{ metric: "stallP999Ms", atMost: 5 }],
  async run({ server, seconds }) {
    const topics = await someTopics(server, 1, QUEUES);
    const load = {
      ...placeOf(server.brokerAddr),
      topics,
      queues: QUEUES,
      bodyBytes: 128,
      connections: 64,
      inFlight: 16,
    };
    const warm = await runLoader({ ...load, warmUpMs: 0, durationMs: WARM_UP_MS });
    await takeStalls(server);
    const result = await runLoader({
      ...load,
      warmUpMs: 0,
      durationMs: seconds * 1000,
      serverPids: server.pids,
    });
    const { p99Ms, p999Ms, maxMs } = await takeStalls(server);
    const metrics = {
      ...loaderMetrics(result, server),
      stallP99Ms: p99Ms,
      stallP999Ms: p999Ms,
      stallMaxMs: maxMs,
    };
    if (!server.stores) return metrics;
    const atLeast = warm.acknowledgedInTotal + result.acknowledgedInTotal;
    return {
      ...metrics,
      caughtUpMs: await awaitStored(server.brokerAddr, { topics, queues: QUEUES, atLeast }),
    };
  },
};
