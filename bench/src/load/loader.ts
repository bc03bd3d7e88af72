/**
 * The pipelined loader, run as its own process: keeps `inFlight` SEND_MESSAGE_V2 requests outstanding on each
 * connection and counts the answers. Frames are made once and patched, so that the loader is not the thing
 * measured: it spends well under a microsecond a message.
 *
 * Argument: one JSON object (LoaderOptions). Prints one JSON line (LoaderResult).
 */
import { connect, type Socket } from "node:net";
import { createHistogram } from "node:perf_hooks";
import { cpuBetween, cpuOf } from "../measure/process-cpu.ts";
import { sendFrame } from "./send-frame.ts";

export interface LoaderOptions {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly queues: number;
  readonly bodyBytes: number;
  readonly connections: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Goes on, after `durationMs`, until so many were acknowledged in total. Default 0. */
  readonly messagesMin?: number;
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

const TOTAL = 0;
const OPAQUE_IN_REPLY = 13;

class Lane {
  readonly #socket: Socket;
  readonly #template: Buffer;
  readonly #opaqueAt: number;
  readonly #queueAt: number;
  readonly #queues: number;
  readonly #sentAt: Float64Array;
  #rest: Buffer = Buffer.alloc(0);
  #next = 0;
  readonly #onReply: (code: number, sentAt: number, now: number) => boolean;

  constructor(
    socket: Socket,
    options: LoaderOptions,
    onReply: (code: number, sentAt: number, now: number) => boolean,
  ) {
    const { frame, opaqueAt, queueAt } = sendFrame(options.topic, options.bodyBytes);
    this.#socket = socket;
    this.#template = frame;
    this.#opaqueAt = opaqueAt;
    this.#queueAt = queueAt;
    this.#queues = Math.min(options.queues, 10);
    this.#sentAt = new Float64Array(options.inFlight);
    this.#onReply = onReply;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#send(Array.from({ length: options.inFlight }, (_, slot) => slot));
  }

  /** The opaque is the slot in flight: an answer frees its slot, which sends again. */
  #send(slots: readonly number[]): void {
    const size = this.#template.length;
    const out = Buffer.allocUnsafe(size * slots.length);
    const now = performance.now();
    let at = 0;
    for (const slot of slots) {
      this.#template.copy(out, at);
      out.writeInt32BE(slot, at + this.#opaqueAt);
      out[at + this.#queueAt] = 48 + (this.#next++ % this.#queues);
      this.#sentAt[slot] = now;
      at += size;
    }
    this.#socket.write(out);
  }

  #read(chunk: Buffer): void {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const now = performance.now();
    const free: number[] = [];
    let at = 0;
    while (data.length - at >= 8) {
      const end = at + 4 + data.readInt32BE(at + TOTAL);
      if (end > data.length) break;
      let code: number;
      let opaque: number;
      if (data[at + 4] === 1) {
        code = data.readInt16BE(at + 8);
        opaque = data.readInt32BE(at + OPAQUE_IN_REPLY);
      } else {
        const headerLength = data.readUInt32BE(at + 4) & 0xffffff;
        const header = JSON.parse(data.toString("utf8", at + 8, at + 8 + headerLength));
        code = header.code;
        opaque = header.opaque;
      }
      if (this.#onReply(code, this.#sentAt[opaque] as number, now)) free.push(opaque);
      at = end;
    }
    this.#rest = data.subarray(at);
    if (this.#rest.length > 0) this.#rest = Buffer.from(this.#rest);
    if (free.length > 0) this.#send(free);
  }
}

async function run(options: LoaderOptions): Promise<LoaderResult> {
  const latency = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });
  let total = 0;
  let acknowledged = 0;
  let refused = 0;
  let firstRefusal = 0;
  let measuring = false;
  let stopping = false;
  let outstanding = options.connections * options.inFlight;
  let drained = () => {};
  let enough = () => {};
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
    if (!stopping) return true;
    if (--outstanding === 0) drained();
    return false;
  };
  const sockets: Socket[] = [];
  for (let index = 0; index < options.connections; index++) {
    const socket = connect(options.port, options.host);
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    sockets.push(socket);
  }
  for (const socket of sockets) {
    socket.on("close", () => {
      if (!stopping) {
        console.error("loader: the server closed a connection");
        process.exit(1);
      }
    });
    new Lane(socket, options, onReply);
  }
  await new Promise((resolve) => setTimeout(resolve, options.warmUpMs));
  const cpu = process.cpuUsage();
  const serverBefore = cpuOf(options.serverPids ?? []);
  const begin = performance.now();
  measuring = true;
  await new Promise((resolve) => setTimeout(resolve, options.durationMs));
  if (total < (options.messagesMin ?? 0)) {
    await new Promise<void>((resolve) => {
      enough = resolve;
    });
  }
  measuring = false;
  const elapsedMs = performance.now() - begin;
  const used = process.cpuUsage(cpu);
  const serverUsed = cpuBetween(serverBefore, cpuOf(options.serverPids ?? []));
  const done = new Promise<void>((resolve) => {
    drained = resolve;
  });
  stopping = true;
  await done;
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
