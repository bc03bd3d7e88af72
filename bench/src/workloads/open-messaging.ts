/**
 * As the OpenMessaging Benchmark goes about it: 1 KiB messages over some topics and queues, sent as fast as they are
 * acknowledged while a consumer waits at the end of every queue; and a backlog that is drained while producing goes
 * on at a fixed rate.
 */
import type { LoaderOptions } from "../load/loader.ts";
import type { PullerOptions, PullerResult } from "../load/puller.ts";
import { runLoader, startLoader } from "../load/run-loader.ts";
import { runProcess, startProcess } from "../load/run-process.ts";
import { awaitStored } from "../measure/stored-messages.ts";
import { fill, loaderMetrics, memoryMetrics, placeOf, someTopics, WARM_UP_MS } from "./load.ts";
import type { Workload } from "./workload.ts";

const BODY_BYTES = 1024;
const CONNECTIONS = 16;
const IN_FLIGHT = 16;
const DRAIN_WARM_UP_MS = 2_000;
const DRAIN_PER_SECOND = 5_000;
const DRAIN_QUEUES = 8;

export function openMessaging(topicCount: number, queues: number): Workload {
  const topicsText = topicCount === 1 ? "1 topic" : `${topicCount} topics`;
  const queuesText = queues === 1 ? "1 queue" : `${queues} queues`;
  return {
    id: `omb-${topicCount}x${queues}`,
    title: `${topicsText} × ${queuesText}, 1 KiB, sent 16×16 and consumed at once`,
    servers: ["orbitmq", "java"],
    goals: () => [],
    async run({ server, seconds }) {
      const topics = await someTopics(server, topicCount, queues, "Omb");
      const place = placeOf(server.brokerAddr);
      const following: PullerOptions = { ...place, topics, queues, follows: true, serverPids: server.pids };
      const puller = startProcess<PullerResult>("puller.ts", following);
      try {
        const result = await runLoader({
          ...place,
          topics,
          queues,
          bodyBytes: BODY_BYTES,
          connections: CONNECTIONS,
          inFlight: IN_FLIGHT,
          warmUpMs: WARM_UP_MS[server.kind],
          durationMs: seconds * 1000,
          serverPids: server.pids,
        });
        const metrics = loaderMetrics(result, server);
        const sent = result.acknowledgedInTotal;
        const caughtUpMs = await awaitStored(server.brokerAddr, { topics, queues, atLeast: sent });
        puller.tell();
        const { messages, seconds: pullingSeconds } = await puller.result();
        return { ...metrics, consumedPerSecond: messages / pullingSeconds, caughtUpMs };
      } finally {
        puller.kill();
      }
    },
  };
}

export function drain(messages: number): Workload {
  return {
    id: "drain",
    title: `a backlog of ${messages.toLocaleString("en")} messages of 1 KiB is drained while ${DRAIN_PER_SECOND.toLocaleString("en")} more come each second`,
    servers: ["orbitmq", "java"],
    goals: () => [],
    async run(stage) {
      const { server } = stage;
      const topics = await someTopics(server, 1, DRAIN_QUEUES, "Drain");
      const load = { topics, queues: DRAIN_QUEUES, bodyBytes: BODY_BYTES };
      await fill(server, stage.scaled(messages), load);
      const place = placeOf(server.brokerAddr);
      const producing: LoaderOptions = {
        ...place,
        ...load,
        connections: 4,
        inFlight: 64,
        ratePerSecond: DRAIN_PER_SECOND,
        warmUpMs: DRAIN_WARM_UP_MS,
        durationMs: 0,
        untilTold: true,
        serverPids: server.pids,
      };
      const loader = startLoader(producing);
      try {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_WARM_UP_MS));
        const options: PullerOptions = {
          ...place,
          topics,
          queues: DRAIN_QUEUES,
          untilCaughtUp: true,
          serverPids: server.pids,
        };
        const pulled = await runProcess<PullerResult>("puller.ts", options);
        loader.tell();
        const { perSecond, p50Ms, p99Ms, p999Ms, refused } = await loader.result();
        return {
          perSecond,
          consumedPerSecond: pulled.perSecond,
          p50Ms,
          p99Ms,
          p999Ms,
          refused,
          ...memoryMetrics(server),
        };
      } finally {
        loader.kill();
      }
    },
  };
}
