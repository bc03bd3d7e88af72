/**
 * Reads a topic from its beginning with our push consumer, run as its own process. CPU, of it and of the server, is
 * taken from the first message to the last.
 *
 * Argument: one JSON object (ConsumeAllOptions). Prints one JSON line (ConsumeAllResult).
 */
import { PushConsumer } from "@orbitmq/client";
import { watchServer } from "../measure/server-watch.ts";

export interface ConsumeAllOptions {
  readonly namesrv: string;
  readonly topic: string;
  readonly group: string;
  readonly messages: number;
  readonly serverPids: readonly number[];
}

export interface ConsumeAllResult {
  readonly perSecond: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly serverCpuUs: number;
  readonly serverThreadUs: number;
}

async function run({
  namesrv,
  topic,
  group,
  messages,
  serverPids,
}: ConsumeAllOptions): Promise<ConsumeAllResult> {
  let consumed = 0;
  let begin: { at: number; cpu: NodeJS.CpuUsage; serverUse: ReturnType<typeof watchServer> } | undefined;
  let done = () => {};
  const all = new Promise<void>((resolve) => {
    done = resolve;
  });
  const consumer = new PushConsumer({ namesrv, group, from: "first" });
  consumer.listen(topic, () => {
    begin ??= { at: performance.now(), cpu: process.cpuUsage(), serverUse: watchServer(serverPids) };
    if (++consumed === messages) done();
  });
  await consumer.start();
  await all;
  const seconds = (performance.now() - begin!.at) / 1000;
  const used = process.cpuUsage(begin!.cpu);
  const serverUsed = begin!.serverUse();
  await consumer.shutdown();
  return {
    perSecond: messages / seconds,
    seconds,
    cpuSeconds: (used.user + used.system) / 1e6,
    serverCpuUs: (serverUsed.total * 1e6) / messages,
    serverThreadUs: (serverUsed.busiestThread * 1e6) / messages,
  };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}") as ConsumeAllOptions)));
