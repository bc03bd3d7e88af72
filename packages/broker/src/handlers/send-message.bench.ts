/**
 * What a send costs the broker without a socket: frames are fed to the RPC server as a connection would, through
 * handler, store and disk, and the answers are counted where the socket would take them. CPU of the main thread
 * per message is what a change of the hot path moves; rates mean little on a shared machine.
 *
 *   node --conditions=orbitmq-source --import tsx packages/broker/src/handlers/send-message.bench.ts
 *        [ASYNC_FLUSH|SYNC_FLUSH] [connections] [in flight] [seconds] [binary|json]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, ConnectionHandlers, Host } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { openMessageStore } from "@orbitmq/store";
import { FrameWriter, SERIALIZE_JSON, SERIALIZE_ROCKETMQ } from "@orbitmq/wire";
import { Broker } from "../broker.ts";

const [flush = "ASYNC_FLUSH", connectionCount = "64", inFlight = "16", seconds = "4", encoding = "binary"] =
  process.argv.slice(2);
const WARM_UP_MS = 1500;
const SEND_MESSAGE_V2 = 310;

function frame(opaque: number, queueId: number): Buffer {
  const writer = new FrameWriter({ copiedSliceBytesMax: 4096 });
  const header: Record<string, string> = {
    a: "bench_producer",
    b: "Bench",
    c: "TBW102",
    d: "4",
    e: String(queueId),
    f: "0",
    g: "1700000000000",
    h: "0",
    i: "UNIQ_KEY\u00017F000001000000000000000000000000\u0002WAIT\u0001true\u0002",
    j: "0",
    k: "false",
    m: "false",
  };
  writer.frame({
    serializeType: encoding === "json" ? SERIALIZE_JSON : SERIALIZE_ROCKETMQ,
    code: SEND_MESSAGE_V2,
    language: 0,
    version: 479,
    opaque,
    flag: 0,
    header: (sink) => {
      for (const [name, value] of Object.entries(header)) sink.put(name, value);
    },
    body: [new Uint8Array(128).fill(120)],
  });
  return Buffer.from(writer.take()!.slices[0]!);
}

/** Its peer keeps `inFlight` sends outstanding. */
class LoadedConnection implements Connection {
  readonly remote = { host: "127.0.0.1", port: 40_000 };
  readonly local = { host: "127.0.0.1", port: 10_911 };
  readonly unsentBytes = 0;
  owed = 0;
  readonly #frames: readonly Buffer[];
  readonly #chunk: Buffer;
  #handlers: ConnectionHandlers | undefined;
  #next = 0;

  constructor(frames: readonly Buffer[]) {
    this.#frames = frames;
    this.#chunk = Buffer.alloc(64 * 1024);
  }

  handle(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  /** Sends one for each answer received. */
  send(): void {
    let at = 0;
    for (; this.owed > 0; this.owed--) {
      const bytes = this.#frames[this.#next++ % this.#frames.length]!;
      if (at + bytes.length > this.#chunk.length) break;
      this.#chunk.set(bytes, at);
      at += bytes.length;
    }
    if (at > 0) this.#handlers?.onData(this.#chunk.subarray(0, at));
  }

  write(slices: readonly Uint8Array[], written?: () => void): void {
    for (const slice of slices) {
      const bytes = slice as Buffer;
      for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
        this.owed++;
        answered++;
      }
    }
    if (written !== undefined) process.nextTick(written);
  }

  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

let answered = 0;
const real = nodeHost();
const opened: ((connection: Connection) => void)[] = [];
const host: Host = {
  ...real,
  network: {
    listen: (local, onConnection, done) => {
      opened.push(onConnection);
      done(undefined, { local: { host: local.host, port: 10_911 }, close: (closed) => closed?.() });
    },
    connect: () => {},
    resolve: (name, done) => done(undefined, name),
    localAddresses: () => ["127.0.0.1"],
  },
};

const home = mkdtempSync(join(tmpdir(), "orbitmq-bench-"));
const flushDiskType = flush === "SYNC_FLUSH" ? "SYNC_FLUSH" : "ASYNC_FLUSH";
const silent = () => {};
const logger = {
  debug: silent,
  info: silent,
  warn: console.error,
  error: console.error,
  fatal: console.error,
};
const store = openMessageStore(host, { home, flushDiskType }, logger as never);
await store.start();
const broker = new Broker(
  host,
  {
    store,
    listen: { host: "127.0.0.1", port: 0 },
    namesrvAddrs: [],
    configFolder: join(home, "config"),
    flushDiskType,
    vipListener: false,
  },
  logger as never,
);
await broker.start();
const frames = Array.from({ length: 4 }, (_, queueId) => frame(7, queueId));
const connections = Array.from({ length: Number(connectionCount) }, () => new LoadedConnection(frames));
for (const connection of connections) {
  opened[0]?.(connection);
  connection.owed = Number(inFlight);
}

const pass = (ms: number) => new Promise<void>((resolve) => void real.timers.after(ms, resolve));
let running = true;
const turn = (): void => {
  for (const connection of connections) if (connection.owed > 0) connection.send();
  if (running) setImmediate(turn);
};
turn();
await pass(WARM_UP_MS);
for (let round = 0; round < 3; round++) {
  const before = answered;
  const cpu = process.cpuUsage();
  const usage = process.resourceUsage();
  const begin = performance.now();
  await pass((Number(seconds) * 1000) / 3);
  const ms = performance.now() - begin;
  const used = process.cpuUsage(cpu);
  const count = answered - before;
  const faults = process.resourceUsage().minorPageFault - usage.minorPageFault;
  console.log(
    `${flush} ${connectionCount}x${inFlight} ${encoding}: ${((used.user + used.system) / count).toFixed(2)} µs CPU each (user ${(used.user / count).toFixed(2)}), ${Math.round((count * 1000) / ms)}/s, ${faults} page faults`,
  );
}
running = false;
const { messageCount } = store.status();
if (messageCount < answered) console.error(`${answered} acknowledged, ${messageCount} in the store`);
rmSync(home, { recursive: true, force: true });
process.exit(0);
