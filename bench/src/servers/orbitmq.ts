/** OrbitMQ as it is shipped, with nothing set but what a workload asks for. */
import { startServerProcess } from "orbitmq/testing";
import type { BenchServer, BenchServerOptions, StartBenchServer } from "./bench-server.ts";

/** `cli` is the bundled command; default this tree's. */
export function orbitmq(name = "OrbitMQ", cli?: string): StartBenchServer {
  return (options) => start(name, cli, options);
}

async function start(
  name: string,
  cli: string | undefined,
  { flush, folder }: BenchServerOptions,
): Promise<BenchServer> {
  const options = ["--log-level", "warn", "-o", `flushDiskType=${flush}`];
  const server = await startServerProcess({ home: folder, options, ...(cli === undefined ? {} : { cli }) });
  return {
    name,
    about: `node ${process.version}, defaults, flushDiskType=${flush}`,
    namesrvAddr: server.namesrvAddr,
    brokerAddr: server.brokerAddr,
    pids: [server.pid],
    readyMs: server.readyMs,
    stores: true,
    stop: async () => void (await server.kill()),
  };
}
