/**
 * The pipelined loader, run as its own process: keeps `inFlight` SEND_MESSAGE_V2 requests outstanding on each
 * connection and counts the answers. Frames are made once and patched, so that the loader is not the thing
 * measured: it spends well under a microsecond a message.
 *
 * Argument: one JSON object (LoaderOptions). Prints one JSON line (LoaderResult).
 */
import { connect, type Socket } from "node:net";
import { createHistogram } from "node:perf_hooks";
import { watchServer } from "../measure/server-watch.ts";
import { commitFrame } from "./commit-frame.ts";
import { Lane } from "./lane.ts";
import { GROUP, type SentKind, sendFrames } from "./send-frame.ts";
import { told } from "./told.ts";

export interface LoaderOptions {
  readonly host: string;
  readonly port: number;
  readonly topics: readonly string[];
  readonly queues: number;
  readonly bodyBytes: number;
  /** Default plain. A transaction counts when its commit was answered. */
  readonly kind?: SentKind;
  readonly connections: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Goes on, after `durationMs`, until so many were acknowledged in total. Default 0. */
  readonly messagesMin?: number;
  /** Goes on, after `durationMs`, until its standard input ends. */
  readonly untilTold?: boolean;
  /** All connections together; latency then counts from when a send was due. Default: as fast as answers come. */
  readonly ratePerSecond?: number;
  /** The server's processes: their CPU is measured over the same time as the answers. */
  readonly serverPids?: readonly number[];
}

export interface LoaderResult {
  readonly acknowledged: number;
  readonly refused: number;
  readonly firstRefusal: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly cpuSeconds: number;
  /** Of the server: microseconds for each answer counted, of all its threads and of the busiest one. */
  readonly serverCpuUs: number;
  readonly serverThreadUs: number;
  /** Every message the server accepted, warm-up included: the store must hold exactly this many. */
  readonly acknowledgedInTotal: number;
}

const PACE_MS = 1;

async function run(options: LoaderOptions): Promise<LoaderResult> {
  const latency = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
  let total = 0;
  let acknowledged = 0;
  let refused = 0;
  let firstRefusal = 0;
  let measuring = false;
  let stopping = false;
  let outstanding = options.connections * options.inFlight;
  let drained = () => {};
  let enough = () => {};
  const over = (): boolean => {
    if (--outstanding === 0) drained();
    return false;
  };
  const onReply = (code: number, sentAt: number, now: number): boolean => {
    if (code === 0) {
      total++;
      if (total === options.messagesMin) enough();
      if (measuring) {
        acknowledged++;
        latency.record(Math.max(1, Math.round((now - sentAt) * 1000)));
      }
    } else {
      refused++;
      firstRefusal ||= code;
    }
    return stopping ? over() : true;
  };
  const sockets: Socket[] = [];
  for (let index = 0; index < options.connections; index++) {
    const socket = connect(options.port, options.host);
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    sockets.push(socket);
  }
  const frames = sendFrames(options.topics, options.queues, options.bodyBytes, options.kind);
  const commit = options.kind === "transaction" ? commitFrame(GROUP) : undefined;
  const { ratePerSecond = 0, inFlight } = options;
  const everyMs = ratePerSecond === 0 ? 0 : (1000 * options.connections) / ratePerSecond;
  const lanes = sockets.map((socket, index) => {
    socket.on("close", () => {
      if (stopping) return;
      console.error("loader: the server closed a connection");
      process.exit(1);
    });
    return new Lane(socket, { frames, inFlight, everyMs, commit, onReply }, index);
  });
  const pace =
    everyMs === 0
      ? undefined
      : setInterval(() => {
          for (const lane of lanes) lane.pump();
        }, PACE_MS);
  await new Promise((resolve) => setTimeout(resolve, options.warmUpMs));
  const cpu = process.cpuUsage();
  const serverUse = watchServer(options.serverPids ?? []);
  const begin = performance.now();
  measuring = true;
  await new Promise((resolve) => setTimeout(resolve, options.durationMs));
  if (total < (options.messagesMin ?? 0)) {
    await new Promise<void>((resolve) => {
      enough = resolve;
    });
  }
  if (options.untilTold === true) await told();
  measuring = false;
  const elapsedMs = performance.now() - begin;
  const used = process.cpuUsage(cpu);
  const serverUsed = serverUse();
  const done = new Promise<void>((resolve) => {
    drained = resolve;
  });
  stopping = true;
  clearInterval(pace);
  outstanding = lanes.reduce((sum, lane) => sum + lane.stop(), 0);
  if (outstanding > 0) await done;
  for (const socket of sockets) socket.destroy();
  return {
    acknowledged,
    refused,
    firstRefusal,
    perSecond: (acknowledged * 1000) / elapsedMs,
    p50Ms: latency.percentile(50) / 1000,
    p99Ms: latency.percentile(99) / 1000,
    p999Ms: latency.percentile(99.9) / 1000,
    cpuSeconds: (used.user + used.system) / 1e6,
    serverCpuUs: (serverUsed.total * 1e6) / Math.max(1, acknowledged),
    serverThreadUs: (serverUsed.busiestThread * 1e6) / Math.max(1, acknowledged),
    acknowledgedInTotal: total,
  };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as LoaderOptions)));
