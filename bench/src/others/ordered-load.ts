/**
 * One connection with a fixed number of publishes in flight to a system whose acknowledgements come in the order of
 * what was published. Run as its own process.
 *
 * Argument: one JSON object (OrderedLoadOptions). Prints one JSON line (OrderedLoadResult).
 */
import { connect, type Socket } from "node:net";
import { createHistogram } from "node:perf_hooks";
import { cpuBetween, cpuOf } from "../measure/process-cpu.ts";
import { type Dialect, dialects } from "./dialects.ts";

export interface OrderedLoadOptions {
  readonly system: keyof typeof dialects | "rabbitmq";
  readonly port: number;
  readonly inFlight: number;
  readonly bodyBytes: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly serverPids: readonly number[];
}

export interface OrderedLoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly serverCpuUs: number;
  readonly serverThreadUs: number;
  readonly acknowledgedInTotal: number;
  /** What the system says it has. */
  readonly stored: number;
}

const CONNECT_TIMEOUT_MS = 30_000;
const AGAIN_MS = 100;

async function connected(port: number): Promise<Socket> {
  const deadline = performance.now() + CONNECT_TIMEOUT_MS;
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const error = await new Promise<Error | undefined>((resolve) => {
      socket.once("connect", () => resolve(undefined)).once("error", resolve);
    });
    if (error === undefined) return socket;
    if (performance.now() > deadline) throw error;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function run(options: OrderedLoadOptions): Promise<OrderedLoadResult> {
  const { inFlight, serverPids } = options;
  if (options.system === "rabbitmq") throw new Error("RabbitMQ has a load of its own");
  const dialect: Dialect = dialects[options.system](Buffer.alloc(options.bodyBytes, 120));
  const socket = await connected(options.port);
  socket.setNoDelay(true);
  socket.on("close", () => {
    console.error("the server closed the connection");
    process.exit(1);
  });
  await dialect.prepare(socket);
  const latency = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
  const sentAt = new Float64Array(inFlight);
  let sent = 0;
  let total = 0;
  let counted = 0;
  let measuring = false;
  let stopping = false;
  let drained = () => {};
  const publish = (count: number): void => {
    const now = performance.now();
    const parts: Buffer[] = [];
    for (let index = 0; index < count; index++) {
      sentAt[sent % inFlight] = now;
      parts.push(dialect.publish(sent % inFlight));
      sent++;
    }
    socket.write(Buffer.concat(parts));
  };
  socket.on("data", (chunk: Buffer) => {
    const now = performance.now();
    const acknowledged = dialect.acknowledged(chunk);
    for (let index = 0; index < acknowledged; index++) {
      const waited = now - (sentAt[total % inFlight] as number);
      total++;
      if (!measuring) continue;
      counted++;
      latency.record(Math.max(1, Math.round(waited * 1000)));
    }
    if (!stopping) publish(acknowledged);
    else if (total === sent) drained();
  });
  publish(inFlight);
  await new Promise((resolve) => setTimeout(resolve, options.warmUpMs));
  const cpu = process.cpuUsage();
  const server = cpuOf(serverPids);
  const begin = performance.now();
  measuring = true;
  await new Promise((resolve) => setTimeout(resolve, options.durationMs));
  measuring = false;
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  const serverUsed = cpuBetween(server, cpuOf(serverPids));
  const done = new Promise<void>((resolve) => {
    drained = resolve;
  });
  stopping = true;
  await done;
  const stored = await dialect.stored(socket);
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
    stored,
  };
}

const result = await run(JSON.parse(process.argv[2] ?? "{}") as OrderedLoadOptions);
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
