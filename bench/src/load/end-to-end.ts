/**
 * From the call of send to the listener with our client, run as its own process and so on one clock: messages are
 * sent at a fixed rate that does not wait for anything, a push consumer takes the time of each. Counts for `seconds`
 * after the warm-up, and then goes on until it is told, when `untilTold`; what is counted then is what came after the
 * warm-up.
 *
 * Argument: one JSON object (EndToEndOptions). Prints one JSON line (EndToEndResult).
 */
import { createHistogram } from "node:perf_hooks";
import { Producer, PushConsumer } from "@orbitmq/client";
import { watchServer } from "../measure/server-watch.ts";
import { told } from "./told.ts";

export interface EndToEndOptions {
  readonly namesrv: string;
  readonly topic: string;
  readonly group: string;
  readonly perSecond: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
  readonly untilTold?: boolean;
  readonly bodyBytes: number;
  readonly serverPids: readonly number[];
}

export interface EndToEndResult {
  readonly sent: number;
  readonly failed: number;
  /** Acknowledged, and did not come. */
  readonly lost: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly serverCpuUs: number;
  readonly clientCpuUs: number;
}

const TICK_MS = 1;
const REST_MS = 20_000;
const LOOK_MS = 10;

async function run(options: EndToEndOptions): Promise<EndToEndResult> {
  const latency = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
  const { namesrv, topic, group, perSecond } = options;
  const warmUp = options.warmUpSeconds * perSecond;
  const arrived = new Set<number>();
  const consumer = new PushConsumer({ namesrv, group, from: "first" });
  consumer.listen(topic, ({ body }) => {
    const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
    const number = view.getUint32(0);
    if (number < warmUp || arrived.has(number)) return;
    arrived.add(number);
    latency.record(Math.max(1, Math.round((performance.now() - view.getFloat64(4)) * 1000)));
  });
  await consumer.start();
  const producer = new Producer({ namesrv, group: `${group}_producer` });
  await producer.start();

  let next = 0;
  let failed = 0;
  const warming = { onSuccess: () => undefined, onException: () => undefined };
  const counting = {
    onSuccess: () => undefined,
    onException: () => {
      failed++;
    },
  };
  const begin = performance.now();
  let cpu = process.cpuUsage();
  let serverUse: ReturnType<typeof watchServer> | undefined;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - begin) / 1000) * perSecond);
    for (; next < due; next++) {
      if (next === warmUp) {
        cpu = process.cpuUsage();
        serverUse = watchServer(options.serverPids);
      }
      const body = Buffer.alloc(Math.max(12, options.bodyBytes));
      body.writeUInt32BE(next, 0);
      body.writeDoubleBE(performance.now(), 4);
      producer.sendAsync({ topic, body }, next < warmUp ? warming : counting);
    }
  }, TICK_MS);
  await new Promise((resolve) => setTimeout(resolve, (options.warmUpSeconds + options.seconds) * 1000));
  if (options.untilTold === true) await told();
  clearInterval(timer);
  const sent = next - warmUp;
  const used = process.cpuUsage(cpu);
  const serverUsedSeconds = serverUse?.().total ?? 0;
  const deadline = performance.now() + REST_MS;
  while (arrived.size + failed < sent && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await producer.shutdown();
  await consumer.shutdown();
  return {
    sent,
    failed,
    lost: Math.max(0, sent - arrived.size - failed),
    p50Ms: latency.percentile(50) / 1000,
    p99Ms: latency.percentile(99) / 1000,
    p999Ms: latency.percentile(99.9) / 1000,
    serverCpuUs: (serverUsedSeconds * 1e6) / Math.max(1, sent),
    clientCpuUs: (used.user + used.system) / Math.max(1, sent),
  };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as EndToEndOptions)));
