/** The real machine as a {@link Host}: the only place outside tests and commands that touches it. */
import type { Host } from "../host.ts";
import { type Logger, silentLogger } from "../log.ts";
import { NodeFiles } from "./node-files.ts";
import { NodeNetwork } from "./node-network.ts";
import { nodeProcess } from "./node-process.ts";
import { nodeRandom } from "./node-random.ts";
import { nodeClock, nodeTimers } from "./node-time.ts";

export interface NodeHostOptions {
  /** Where the programs that take file locks are looked for, in PATH's syntax. Default: PATH. */
  readonly lockerSearchPath?: string;
  /** Told about trouble that belongs to nobody (a connection that could not be accepted). Default silent. */
  readonly logger?: Logger;
}

/** Several may exist in one process; each has its own lanes and read buffer. */
export function nodeHost(options: NodeHostOptions = {}): Host {
  const { lockerSearchPath = process.env["PATH"] ?? "/usr/bin:/bin", logger = silentLogger } = options;
  return {
    clock: nodeClock,
    timers: nodeTimers(),
    random: nodeRandom,
    files: new NodeFiles(lockerSearchPath),
    network: new NodeNetwork(logger),
    process: nodeProcess(),
  };
}
