/** OrbitMQ as it is shipped, with nothing set but what a workload asks for. */
import { startServerProcess } from "orbitmq/testing";
import { killAtExit } from "../left-behind.ts";
import { OURS } from "../results/goal.ts";
import type { BenchServer, BenchServerOptions, Contestant } from "./bench-server.ts";
import { probing } from "./probes.ts";

/** `cli` is the bundled command; default this tree's. */
export function orbitmq(name = OURS, cli?: string): Contestant {
  return { name, kind: "orbitmq", start: (options) => start(name, cli, options) };
}

async function start(name: string, cli: string | undefined, asked: BenchServerOptions): Promise<BenchServer> {
  const { flush, folder, stallFile } = asked;
  const options = ["--log-level", "warn", "-o", `flushDiskType=${flush}`];
  const server = await startServerProcess({
    home: folder,
    options,
    ...(cli === undefined ? {} : { cli }),
    env: probing(asked),
  });
  const ended = killAtExit(server.pid);
  return {
    name,
    kind: "orbitmq",
    about: `node ${process.version}, defaults, flushDiskType=${flush}`,
    namesrvAddr: server.namesrvAddr,
    brokerAddr: server.brokerAddr,
    pids: [server.pid],
    readyMs: server.readyMs,
    stores: true,
    ...(stallFile === undefined ? {} : { stallFile }),
    stop: async (how) => {
      await (how === "kill" ? server.kill() : server.stop());
      ended();
    },
  };
}
