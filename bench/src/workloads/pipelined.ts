/**
 * Our pipelined loader: SEND_MESSAGE_V2 with a fixed number in flight on each connection, real answers counted, and
 * what is stored compared with what was acknowledged.
 */
import { runLoader } from "../load/run-loader.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import { type Goal, ORIGINAL } from "../results/goal.ts";
import { loaderMetrics, placeOf, someTopics, WARM_UP_MS } from "./load.ts";
import type { Workload } from "./workload.ts";

const QUEUES = 4;
/** The loader runs on one thread: below this share of a core it waits for the server, not the server for it. */
const LOADER_CORES_MOST = 0.95;

/** `shape`: connections × in flight on each, `64x16`. */
export function pipelined(shape: string, bodyBytes: number, warmUpMs?: number): Workload {
  const [connections = 1, inFlight = 1] = shape.split("x").map(Number);
  return {
    id: `pipelined-${shape}-${bodyBytes}`,
    title: `pipelined loader ${shape.replace("x", "×")}, ${bodyBytes} B`,
    servers: ["orbitmq", "java", "null"],
    goals: (flush): Goal[] => {
      const loader: Goal = { metric: "clientCores", atMost: LOADER_CORES_MOST };
      if (shape === "1x1") return [loader];
      const isLong = bodyBytes > 512;
      const atLeast = shape === "1x64" ? (isLong ? 3.5 : 4) : isLong ? 4 : 6;
      const rate: Goal = { metric: "perSecond", beside: ORIGINAL, atLeast };
      const latency: Goal = { metric: "p99Ms", beside: ORIGINAL, atMost: 0.25 };
      return flush === "SYNC_FLUSH" && !isLong ? [rate, latency, loader] : [rate, loader];
    },
    async run({ server, seconds }) {
      const topics = await someTopics(server, 1, QUEUES);
      const result = await runLoader({
        ...placeOf(server.brokerAddr),
        topics,
        queues: QUEUES,
        bodyBytes,
        connections,
        inFlight,
        warmUpMs: warmUpMs ?? WARM_UP_MS[server.kind],
        durationMs: seconds * 1000,
        serverPids: server.pids,
      });
      const metrics = loaderMetrics(result, server);
      if (!server.stores) return metrics;
      const stored = { topics, queues: QUEUES, atLeast: result.acknowledgedInTotal };
      return { ...metrics, caughtUpMs: await awaitStored(server.brokerAddr, stored) };
    },
  };
}
