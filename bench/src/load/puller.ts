/**
 * The raw puller, run as its own process: one connection, one PULL_MESSAGE outstanding on each queue, 32 messages a
 * pull, no decoding beyond counting the records. Reads from the beginning until it has `messages`, or until every
 * queue has said once that there is no more (`untilCaughtUp`), or until it is told and has `messages` or nothing more
 * comes (`follows`: waits at the end of a queue, as consumers do).
 *
 * Argument: one JSON object (PullerOptions). Prints one JSON line (PullerResult).
 */
import { connect } from "node:net";
import { watchServer } from "../measure/server-watch.ts";
import { pullFrame } from "./pull-frame.ts";
import { ReplyFrames } from "./reply-frames.ts";
import { told } from "./told.ts";

export interface PullerOptions {
  readonly host: string;
  readonly port: number;
  readonly topics: readonly string[];
  readonly queues: number;
  /** Messages in all queues together; ends when it has them. */
  readonly messages?: number;
  readonly untilCaughtUp?: boolean;
  readonly follows?: boolean;
  readonly serverPids: readonly number[];
}

export interface PullerResult {
  readonly messages: number;
  readonly pulls: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly mibPerSecond: number;
  readonly cpuSeconds: number;
  readonly serverCpuUs: number;
  readonly serverThreadUs: number;
}

const FOUND = 0;
const PULL_NOT_FOUND = 19;
const MIB = 1024 * 1024;

async function run(options: PullerOptions): Promise<PullerResult> {
  const { follows = false, untilCaughtUp = false, messages: wanted = Number.POSITIVE_INFINITY } = options;
  const places = options.topics.flatMap((topic) =>
    Array.from({ length: options.queues }, (_, queueId) => ({ topic, queueId, offset: 0, isOpen: true })),
  );
  let messages = 0;
  let bytes = 0;
  let pulls = 0;
  let open = places.length;
  const socket = connect(options.port, options.host);
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.setNoDelay(true);
  const cpu = process.cpuUsage();
  const serverUse = watchServer(options.serverPids);
  const begin = performance.now();
  await new Promise<void>((resolve, reject) => {
    const pull = (index: number): void => {
      const { topic, queueId, offset } = places[index]!;
      pulls++;
      socket.write(pullFrame(topic, queueId, offset, index, follows));
    };
    const replies = new ReplyFrames((code, index, data, bodyAt, end) => {
      const place = places[index]!;
      if (code === PULL_NOT_FOUND) {
        if (follows) return pull(index);
        if (place.isOpen) open--;
        place.isOpen = false;
        if (open > 0) return;
        if (untilCaughtUp) resolve();
        else reject(new Error(`${messages} of ${wanted} messages were found`));
        return;
      }
      if (code !== FOUND) {
        reject(new Error(`${place.topic} ${place.queueId} at ${place.offset} was answered with ${code}`));
        return;
      }
      bytes += end - bodyAt;
      let count = 0;
      for (let at = bodyAt; at < end; at += data.readInt32BE(at)) count++;
      messages += count;
      place.offset += count;
      if (messages >= wanted) resolve();
      else pull(index);
    });
    socket.on("data", (chunk: Buffer) => replies.take(chunk));
    socket.on("close", () => reject(new Error("the server closed the connection")));
    places.forEach((_, index) => {
      pull(index);
    });
    if (follows) told().then(resolve, reject);
  });
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  const serverUsed = serverUse();
  socket.destroy();
  return {
    messages,
    pulls,
    seconds,
    perSecond: messages / seconds,
    mibPerSecond: bytes / MIB / seconds,
    cpuSeconds: (used.user + used.system) / 1e6,
    serverCpuUs: (serverUsed.total * 1e6) / Math.max(1, messages),
    serverThreadUs: (serverUsed.busiestThread * 1e6) / Math.max(1, messages),
  };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as PullerOptions)));
