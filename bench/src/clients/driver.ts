/**
 * One Node client under load, run as its own process: sends with a fixed number in flight for some seconds, or
 * consumes a backlog until it has all of it or some seconds after the first message have passed.
 *
 * Argument: one JSON object (DriverOptions). Prints one JSON line (DriverResult).
 */
import { watchServer } from "../measure/server-watch.ts";
import { aliOns } from "./ali-ons.ts";
import type { NodeClient, NodeClientOptions } from "./node-client.ts";
import { ours } from "./ours.ts";
import { rocketmqClientNodejs } from "./rocketmq-client-nodejs.ts";

export const nodeClients = {
  "@orbitmq/client": ours,
  "ali-ons": aliOns,
  "rocketmq-client-nodejs": rocketmqClientNodejs,
} as const satisfies Readonly<Record<string, (options: NodeClientOptions) => NodeClient>>;

export type NodeClientName = keyof typeof nodeClients;

export interface DriverOptions extends NodeClientOptions {
  readonly client: NodeClientName;
  readonly mode: "send" | "consume";
  readonly topic: string;
  readonly inFlight: number;
  readonly bodyBytes: number;
  readonly seconds: number;
  /** Of the backlog. */
  readonly messages: number;
  readonly serverPids: readonly number[];
}

export interface DriverResult {
  /** Counted. */
  readonly messages: number;
  readonly failed: number;
  /** Acknowledged from beginning to end. */
  readonly total: number;
  readonly perSecond: number;
  readonly clientCores: number;
  readonly clientCpuUs: number;
  readonly serverCpuUs: number;
  readonly rssMiB: number;
}

const WARM_UP_MS = 2_000;
const FIRST_MESSAGE_MS = 60_000;
const MIB = 1024 * 1024;

const options = JSON.parse(process.argv[2] ?? "{}") as DriverOptions;
const client = nodeClients[options.client](options);

function meter(): (messages: number, failed: number, total: number) => DriverResult {
  const begin = performance.now();
  const cpu = process.cpuUsage();
  const serverUse = watchServer(options.serverPids);
  return (messages, failed, total) => {
    const seconds = (performance.now() - begin) / 1000;
    const used = process.cpuUsage(cpu);
    const cpuUs = used.user + used.system;
    const serverUs = serverUse().total * 1e6;
    return {
      messages,
      failed,
      total,
      perSecond: messages / seconds,
      clientCores: cpuUs / 1e6 / seconds,
      clientCpuUs: cpuUs / Math.max(1, messages),
      serverCpuUs: serverUs / Math.max(1, messages),
      rssMiB: process.memoryUsage.rss() / MIB,
    };
  };
}

async function send(): Promise<DriverResult> {
  await client.startProducer();
  let total = 0;
  let failed = 0;
  let outstanding = 0;
  let stopping = false;
  let drained = () => {};
  const over = (error?: unknown): void => {
    outstanding--;
    if (error === undefined) total++;
    else if (failed++ === 0) console.error(error);
    if (!stopping) next();
    else if (outstanding === 0) drained();
  };
  const next = (): void => {
    outstanding++;
    client.send(options.topic, Buffer.alloc(options.bodyBytes, 120), over);
  };
  for (let index = 0; index < options.inFlight; index++) next();
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const before = total;
  const failedBefore = failed;
  const measured = meter();
  await new Promise((resolve) => setTimeout(resolve, options.seconds * 1000));
  const result = measured(total - before, failed - failedBefore, total);
  stopping = true;
  await new Promise<void>((resolve) => {
    drained = resolve;
  });
  return { ...result, total };
}

async function consume(): Promise<DriverResult> {
  let consumed = 0;
  let measured: ReturnType<typeof meter> | undefined;
  let done = (_result: DriverResult) => {};
  const result = new Promise<DriverResult>((resolve, reject) => {
    done = resolve;
    const tooLate = () => reject(new Error(`${options.client} consumed nothing for ${FIRST_MESSAGE_MS} ms`));
    setTimeout(() => consumed > 0 || tooLate(), FIRST_MESSAGE_MS);
  });
  const finish = () => measured !== undefined && done(measured(consumed, 0, consumed));
  await client.consume(options.topic, "node_clients_consumer", () => {
    if (measured === undefined) {
      measured = meter();
      setTimeout(finish, options.seconds * 1000);
    }
    if (++consumed === options.messages) finish();
  });
  return result;
}

const result = options.mode === "send" ? await send() : await consume();
// Not every client can be shut down so that nothing keeps the process.
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
