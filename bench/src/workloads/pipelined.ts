/**
 * Our pipelined loader: SEND_MESSAGE_V2 with a fixed number in flight on each connection, real answers counted, and
 * what is stored compared with what was acknowledged.
 */
import { runLoader } from "../load/run-loader.ts";
import { memoryOf } from "../measure/process-cpu.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import type { Goal, Measured, Workload } from "./workload.ts";

const TOPIC = "Bench";
const QUEUES = 4;
const WARM_UP_MS = 2_000;
const STORED_TIMEOUT_MS = 60_000;

/** `shape`: connections × in flight on each, `64x16`. */
export function pipelined(shape: string, bodyBytes: number): Workload {
  const [connections = 1, inFlight = 1] = shape.split("x").map(Number);
  return {
    id: `pipelined-${shape}-${bodyBytes}`,
    title: `pipelined loader ${shape.replace("x", "×")}, ${bodyBytes} B`,
    fitsNull: true,
    goal: (flush): Goal => {
      if (shape === "1x1") return {};
      const rate = bodyBytes > 512 ? (shape === "1x64" ? 3.5 : 4) : shape === "1x64" ? 4 : 6;
      return flush === "SYNC_FLUSH" && bodyBytes <= 512 ? { rate, p99: 0.25 } : { rate };
    },
    async run(server, seconds): Promise<Measured> {
      const [host = "", port = ""] = server.brokerAddr.split(":");
      const result = await runLoader({
        host,
        port: Number(port),
        topic: TOPIC,
        queues: QUEUES,
        bodyBytes,
        connections,
        inFlight,
        warmUpMs: WARM_UP_MS,
        durationMs: seconds * 1000,
        serverPids: server.pids,
      });
      const { rssMiB } = memoryOf(server.pids);
      if (server.stores) {
        await awaitStored(server.brokerAddr, TOPIC, QUEUES, result.acknowledgedInTotal, STORED_TIMEOUT_MS);
      }
      return {
        perSecond: result.perSecond,
        p50Ms: result.p50Ms,
        p99Ms: result.p99Ms,
        p999Ms: result.p999Ms,
        refused: result.refused,
        serverCpuUs: result.serverCpuUs,
        serverThreadUs: result.serverThreadUs,
        serverRssMiB: rssMiB,
        clientCores: (result.cpuSeconds * result.perSecond) / Math.max(1, result.acknowledged),
      };
    },
  };
}
