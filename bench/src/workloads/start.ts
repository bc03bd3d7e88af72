/**
 * Launch to first acknowledgement: until a NameServer lists the broker (both processes, where there are two) and one
 * raw send to it is answered. On an empty store, and after kill -9 under load with a log of 10 GiB.
 */
import { statfsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { startLoader } from "../load/run-loader.ts";
import { sendOnce } from "../load/send-once.ts";
import type { Metrics } from "../measure/metrics.ts";
import { spread } from "../measure/statistics.ts";
import { type Goal, ORIGINAL } from "../results/goal.ts";
import type { BenchServer } from "../servers/bench-server.ts";
import { fill, memoryMetrics, placeOf, someTopics } from "./load.ts";
import type { Stage, Workload } from "./workload.ts";

const TOPIC = "Start";
const QUEUES = 4;
const BODY_BYTES = 4096;
/** A record: its body, and some 200 bytes of fields and properties. */
const RECORD_BYTES = BODY_BYTES + 200;
const GIB = 1024 ** 3;
const STARTS = 5;
const LOAD_MS = 3_000;

export const startEmpty: Workload = {
  id: "start-empty",
  title: "launch to first acknowledgement, empty store",
  servers: ["orbitmq", "java"],
  flushes: ["SYNC_FLUSH"],
  goals: (): Goal[] => [
    { metric: "firstAckMs", atMost: 300 },
    { metric: "firstAckMs", beside: ORIGINAL, atMost: 1 / 25 },
  ],
  run: async ({ server }) => ({ firstAckMs: await firstAcknowledgement(server), ...memoryMetrics(server) }),
};

export function startAfterKill(gib: number): Workload {
  return {
    id: `start-after-kill-${gib}gib`,
    title: `launch to first acknowledgement after kill -9 under load, log of ${gib} GiB`,
    servers: ["orbitmq", "java"],
    flushes: ["SYNC_FLUSH"],
    // A turn starts the server several times, on a store that takes minutes to make.
    roundsMost: 1,
    goals: (): Goal[] => [
      { metric: "firstAckMs", atMost: 2_000 },
      { metric: "firstAckMs", beside: ORIGINAL, atMost: 1 / 25 },
    ],
    run: (stage) => afterKills(stage, gib),
  };
}

async function afterKills(stage: Stage, gib: number): Promise<Metrics> {
  const messages = stage.scaled(Math.ceil((gib * GIB) / RECORD_BYTES));
  const { bavail, bsize } = statfsSync(stage.folder);
  const neededBytes = messages * RECORD_BYTES * 1.2 + 4 * GIB;
  if (bavail * bsize < neededBytes) throw new Error(`needs ${(neededBytes / GIB).toFixed(0)} GiB of disk`);
  const topics = await someTopics(stage.server, 1, QUEUES, TOPIC);
  const load = { topics, queues: QUEUES, bodyBytes: BODY_BYTES };
  let stored = await fill(stage.server, messages, load);
  const times: number[] = [];
  for (let count = 0; count < STARTS; count++) {
    const loader = startLoader({
      ...placeOf(stage.server.brokerAddr),
      ...load,
      connections: 1,
      inFlight: 64,
      warmUpMs: 0,
      durationMs: LOAD_MS * 10,
    });
    await delay(LOAD_MS);
    // The loader sees its connection end, and says so; that is not the point here.
    const server = await stage.restart("kill", () => loader.kill());
    times.push(await firstAcknowledgement(server));
    stored++;
  }
  return {
    firstAckMs: spread(times).median,
    storedGiB: (stored * RECORD_BYTES) / GIB,
    ...memoryMetrics(stage.server),
  };
}

/** Of a server that has just become ready. */
async function firstAcknowledgement(server: BenchServer): Promise<number> {
  const begin = performance.now();
  const { host, port } = placeOf(server.brokerAddr);
  const code = await sendOnce(host, port, TOPIC);
  if (code !== 0) throw new Error(`the first send was answered with ${code}`);
  return server.readyMs + performance.now() - begin;
}
