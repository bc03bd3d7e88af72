/**
 * How many small requests a second one RpcServer answers whose handler replies at once. The loader is a process
 * of its own that sends ready-made frames and only counts the bytes that come back, so that the server is what
 * is measured. `node --conditions=orbitmq-source --import tsx rpc-server.bench.ts [seconds]`
 */
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { nodeHost } from "@orbitmq/host/node";
import { FrameWriter } from "../frame/frame-writer.ts";
import { SERIALIZE_ROCKETMQ } from "../frame/remoting-command.ts";
import { RpcServer } from "./rpc-server.ts";

const CODE = 310;
const HEADER = { a: "BenchmarkProducers", b: "BenchmarkTest", c: "TBW102", d: "8", e: "3", f: "0" };
const BODY = new Uint8Array(128).fill(65);

function requestBytes(): Uint8Array {
  const writer = new FrameWriter({ copiedSliceBytesMax: 4096 });
  writer.frame({
    serializeType: SERIALIZE_ROCKETMQ,
    code: CODE,
    language: 0,
    version: 513,
    opaque: 7,
    flag: 0,
    header: (sink) => {
      for (const [name, value] of Object.entries(HEADER)) sink.put(name, value);
    },
    body: [BODY],
  });
  return Buffer.from(writer.take()!.slices[0]!);
}

/** Keeps `depth` requests in flight on each of `connections` and prints requests per second and latency. */
function load(port: number, connections: number, depth: number, seconds: number): void {
  const request = requestBytes();
  const burst = Buffer.alloc(request.length * depth);
  for (let i = 0; i < depth; i++) burst.set(request, i * request.length);
  let answered = 0;
  for (let index = 0; index < connections; index++) {
    let replyBytes = 0;
    let bytes = 0;
    let owed = 0;
    const buffer = Buffer.allocUnsafeSlow(65_536);
    const socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer,
        callback: (count: number) => {
          if (replyBytes === 0) replyBytes = buffer.readInt32BE(0) + 4;
          bytes += count;
          const replies = Math.floor(bytes / replyBytes);
          bytes -= replies * replyBytes;
          if (owed === 0 && replies > 0) {
            setImmediate(() => {
              socket.write(burst.subarray(0, owed * request.length));
              owed = 0;
            });
          }
          owed += replies;
          answered += replies;
          return true;
        },
      },
    });
    socket.once("connect", () => socket.write(burst));
  }
  setTimeout(() => {
    answered = 0;
    const start = performance.now();
    setTimeout(() => {
      const perSecond = Math.round((answered / (performance.now() - start)) * 1000);
      console.log(
        `${connections} connections × ${depth} in flight: ${perSecond.toLocaleString("en")} requests/s`,
      );
      process.exit(0);
    }, seconds * 1000);
  }, 1000);
}

async function serve(seconds: number): Promise<void> {
  const server = new RpcServer(nodeHost());
  const reply = (sink: { put(name: string, value: string): void }) => {
    sink.put("msgId", "7F00000100002A9F0000000000000000");
    sink.put("queueId", "3");
    sink.put("queueOffset", "123456");
  };
  let handled = 0;
  server.handle(CODE, (_request, exchange) => {
    handled++;
    exchange.reply({ code: 0, header: reply });
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.listen({ host: "127.0.0.1", port: 0 }, (error, listener) =>
      listener === undefined ? reject(error) : resolve(listener.local.port),
    ),
  );
  for (const [connections, depth] of [
    [1, 1],
    [1, 64],
    [64, 16],
  ]) {
    const args = [fileURLToPath(import.meta.url), "load", port, connections, depth, seconds].map(String);
    const before = process.cpuUsage();
    const start = performance.now();
    const child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: "inherit" });
    await new Promise((resolve) => child.once("exit", resolve));
    const cpu = process.cpuUsage(before);
    const share = (cpu.user + cpu.system) / 10 / (performance.now() - start);
    const microseconds = (cpu.user + cpu.system) / handled;
    console.log(
      `  server: ${share.toFixed(0)} % of a core, ${microseconds.toFixed(2)} µs a request, ` +
        `rss ${process.memoryUsage.rss() >> 20} MiB`,
    );
    handled = 0;
  }
  await new Promise<void>((resolve) => server.stop(1000, () => resolve()));
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === "load") {
  const [port, connections, depth, seconds] = rest.map(Number);
  load(port!, connections!, depth!, seconds!);
} else await serve(Number(mode ?? 3));
