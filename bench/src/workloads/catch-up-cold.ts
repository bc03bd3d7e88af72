/**
 * Cold catch-up while others go on: the server is stopped in order, the page cache dropped, the server started again
 * on what it had. 1,000 messages a second then go from a producer to a consumer of ours on another topic, first alone
 * and then while the raw puller reads the backlog from the disk. The host of a virtual machine may still have the
 * bytes in its memory.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { EndToEndOptions, EndToEndResult } from "../load/end-to-end.ts";
import type { PullerOptions, PullerResult } from "../load/puller.ts";
import { runProcess, startProcess } from "../load/run-process.ts";
import { dropPageCache } from "../measure/page-cache.ts";
import { ORIGINAL } from "../results/goal.ts";
import { BACKLOG_QUEUES, pullerMetrics } from "./catch-up.ts";
import { latencies } from "./end-to-end.ts";
import { fill, memoryMetrics, placeOf, someTopics } from "./load.ts";
import type { Workload } from "./workload.ts";

const TAIL_PER_SECOND = 1_000;
const TAIL_WARM_UP_SECONDS = 5;
const TAIL_QUEUES = 4;
const BODY_BYTES = 128;

export function catchUpCold(messages: number, bodyBytes: number): Workload {
  return {
    id: `catch-up-cold-${bodyBytes}`,
    title: `raw puller catches up ${messages.toLocaleString("en")} messages of ${bodyBytes} B, cold, beside a tail`,
    servers: ["orbitmq", "java"],
    flushes: ["SYNC_FLUSH"],
    goals: () => [
      { metric: "perSecond", beside: ORIGINAL, atLeast: 1.2 },
      { metric: "tailP99Ratio", atMost: 1.3 },
    ],
    async run(stage) {
      const [topic = ""] = await someTopics(stage.server, 1, BACKLOG_QUEUES, "Backlog");
      const load = { topics: [topic], queues: BACKLOG_QUEUES, bodyBytes };
      const stored = await fill(stage.server, stage.scaled(messages), load);
      const server = await stage.restart("stop", dropPageCache);
      // A topic for each: what was sent before is on another process's clock.
      const [alone = "", beside = ""] = await someTopics(server, 2, TAIL_QUEUES, "Tail");
      const watching: EndToEndOptions = {
        namesrv: server.namesrvAddr,
        topic: alone,
        group: "tail",
        perSecond: TAIL_PER_SECOND,
        warmUpSeconds: TAIL_WARM_UP_SECONDS,
        seconds: Math.max(stage.seconds, TAIL_WARM_UP_SECONDS),
        bodyBytes: BODY_BYTES,
        serverPids: server.pids,
      };
      const before = latencies(await runProcess<EndToEndResult>("end-to-end.ts", watching));
      const goingOn = { ...watching, topic: beside, group: "tail_beside", seconds: 0, untilTold: true };
      const meanwhile = startProcess<EndToEndResult>("end-to-end.ts", goingOn);
      try {
        await delay((TAIL_WARM_UP_SECONDS + 1) * 1000);
        const options: PullerOptions = {
          ...placeOf(server.brokerAddr),
          topics: [topic],
          queues: BACKLOG_QUEUES,
          messages: stored,
          serverPids: server.pids,
        };
        const pulled = await runProcess<PullerResult>("puller.ts", options);
        meanwhile.tell();
        const told = await meanwhile.result();
        if (told.sent < TAIL_PER_SECOND) throw new Error(`only ${told.sent} messages went past meanwhile`);
        const during = latencies(told);
        return {
          ...pullerMetrics(pulled),
          tailP99BeforeMs: before.p99Ms ?? 0,
          tailP99DuringMs: during.p99Ms ?? 0,
          tailP99Ratio: (during.p99Ms ?? 0) / (before.p99Ms ?? Number.NaN),
          ...memoryMetrics(server),
        };
      } finally {
        meanwhile.kill();
      }
    },
  };
}
