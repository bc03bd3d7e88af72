/**
 * Persistent messages to a quorum queue with a fixed number waiting for their confirms, by amqplib. Run as its own
 * process.
 *
 * Argument: one JSON object (OrderedLoadOptions). Prints one JSON line (OrderedLoadResult).
 */
import { createHistogram } from "node:perf_hooks";
import { installed } from "../clients/installed.ts";
import { cpuBetween, cpuOf } from "../measure/process-cpu.ts";
import type { OrderedLoadOptions, OrderedLoadResult } from "./ordered-load.ts";

interface Channel {
  assertQueue(queue: string, options: object): Promise<{ messageCount: number }>;
  sendToQueue(
    queue: string,
    body: Buffer,
    options: object,
    confirmed: (error: Error | null) => void,
  ): boolean;
}

interface Amqp {
  connect(url: string): Promise<{ createConfirmChannel(): Promise<Channel> }>;
}

const QUEUE = "bench";
const CONNECT_TIMEOUT_MS = 90_000;
const AGAIN_MS = 500;
/** The count of a quorum queue follows its confirms. */
const COUNT_TIMEOUT_MS = 30_000;
const quorum = { durable: true, arguments: { "x-queue-type": "quorum" } };

async function channelTo(port: number): Promise<Channel> {
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    try {
      const connection = await installed<Amqp>("amqplib").connect(`amqp://guest:guest@127.0.0.1:${port}`);
      return await connection.createConfirmChannel();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function run(options: OrderedLoadOptions): Promise<OrderedLoadResult> {
  const channel = await channelTo(options.port);
  await channel.assertQueue(QUEUE, quorum);
  const latency = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
  const body = Buffer.alloc(options.bodyBytes, 120);
  let total = 0;
  let counted = 0;
  let outstanding = 0;
  let measuring = false;
  let stopping = false;
  let drained = () => {};
  const publish = (): void => {
    const sentAt = performance.now();
    outstanding++;
    channel.sendToQueue(QUEUE, body, { persistent: true }, (error) => {
      if (error !== null) throw error;
      outstanding--;
      total++;
      if (measuring) {
        counted++;
        latency.record(Math.max(1, Math.round((performance.now() - sentAt) * 1000)));
      }
      if (!stopping) publish();
      else if (outstanding === 0) drained();
    });
  };
  for (let index = 0; index < options.inFlight; index++) publish();
  await new Promise((resolve) => setTimeout(resolve, options.warmUpMs));
  const cpu = process.cpuUsage();
  const server = cpuOf(options.serverPids);
  const begin = performance.now();
  measuring = true;
  await new Promise((resolve) => setTimeout(resolve, options.durationMs));
  measuring = false;
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  const serverUsed = cpuBetween(server, cpuOf(options.serverPids));
  const done = new Promise<void>((resolve) => {
    drained = resolve;
  });
  stopping = true;
  await done;
  return {
    perSecond: counted / seconds,
    p50Ms: latency.percentile(50) / 1000,
    p99Ms: latency.percentile(99) / 1000,
    p999Ms: latency.percentile(99.9) / 1000,
    cpuSeconds: (used.user + used.system) / 1e6,
    seconds,
    serverCpuUs: (serverUsed.total * 1e6) / Math.max(1, counted),
    serverThreadUs: (serverUsed.busiestThread * 1e6) / Math.max(1, counted),
    acknowledgedInTotal: total,
    stored: await countOf(channel, total),
  };
}

async function countOf(channel: Channel, expected: number): Promise<number> {
  const deadline = performance.now() + COUNT_TIMEOUT_MS;
  for (;;) {
    const { messageCount } = await channel.assertQueue(QUEUE, quorum);
    if (messageCount >= expected || performance.now() > deadline) return messageCount;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

const result = await run(JSON.parse(process.argv[2] ?? "{}") as OrderedLoadOptions);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
