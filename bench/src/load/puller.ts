/**
 * The raw puller, run as its own process: one connection, one PULL_MESSAGE outstanding on each queue, 32 messages a
 * pull, no decoding beyond counting the records. Ends when every queue was read to the end it had at the start.
 *
 * Argument: one JSON object (PullerOptions). Prints one JSON line (PullerResult).
 */
import { connect } from "node:net";
import { cpuBetween, cpuOf } from "../measure/process-cpu.ts";
import { pullFrame } from "./pull-frame.ts";

export interface PullerOptions {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
  readonly queues: number;
  /** Messages in all queues together. */
  readonly messages: number;
  readonly serverPids: readonly number[];
}

export interface PullerResult {
  readonly messages: number;
  readonly pulls: number;
  readonly perSecond: number;
  readonly mibPerSecond: number;
  readonly cpuSeconds: number;
  readonly serverCpuUs: number;
  readonly serverThreadUs: number;
}

const FOUND = 0;
const PULL_NOT_FOUND = 19;
const OPAQUE_IN_REPLY = 13;
const MIB = 1024 * 1024;

async function run(options: PullerOptions): Promise<PullerResult> {
  const offsets = new Array<number>(options.queues).fill(0);
  let messages = 0;
  let bytes = 0;
  let pulls = 0;
  const socket = connect(options.port, options.host);
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.setNoDelay(true);
  const cpu = process.cpuUsage();
  const serverBefore = cpuOf(options.serverPids);
  const begin = performance.now();
  const pull = (queueId: number): void => {
    pulls++;
    socket.write(pullFrame(options.topic, queueId, offsets[queueId]!, queueId));
  };
  await new Promise<void>((resolve, reject) => {
    let rest: Buffer = Buffer.alloc(0);
    let open = options.queues;
    const take = (frame: Buffer): void => {
      const headerLength = frame.readUInt32BE(4) & 0xffffff;
      let code: number;
      let queueId: number;
      if (frame[4] === 1) {
        code = frame.readInt16BE(8);
        queueId = frame.readInt32BE(OPAQUE_IN_REPLY);
      } else {
        const header = JSON.parse(frame.toString("utf8", 8, 8 + headerLength));
        code = header.code;
        queueId = header.opaque;
      }
      if (code === PULL_NOT_FOUND) {
        if (--open === 0) reject(new Error(`${messages} of ${options.messages} messages were found`));
        return;
      }
      if (code !== FOUND) {
        reject(new Error(`queue ${queueId} at ${offsets[queueId]} was answered with ${code}`));
        return;
      }
      const bodyAt = 8 + headerLength;
      bytes += frame.length - bodyAt;
      let count = 0;
      for (let at = bodyAt; at < frame.length; at += frame.readInt32BE(at)) count++;
      messages += count;
      offsets[queueId]! += count;
      if (messages >= options.messages) resolve();
      else pull(queueId);
    };
    socket.on("data", (chunk: Buffer) => {
      const data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let at = 0;
      while (data.length - at >= 8) {
        const end = at + 4 + data.readInt32BE(at);
        if (end > data.length) break;
        take(data.subarray(at, end));
        at = end;
      }
      rest = data.subarray(at);
    });
    socket.on("close", () => reject(new Error("the server closed the connection")));
    for (let queueId = 0; queueId < options.queues; queueId++) pull(queueId);
  });
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  const serverUsed = cpuBetween(serverBefore, cpuOf(options.serverPids));
  socket.destroy();
  return {
    messages,
    pulls,
    perSecond: messages / seconds,
    mibPerSecond: bytes / MIB / seconds,
    cpuSeconds: (used.user + used.system) / 1e6,
    serverCpuUs: (serverUsed.total * 1e6) / messages,
    serverThreadUs: (serverUsed.busiestThread * 1e6) / messages,
  };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as PullerOptions)));
