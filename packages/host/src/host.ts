/**
 * Everything the machine lends us, in one value that constructors take first. `host/node` makes the real one,
 * `host/sim` a deterministic, hostile one. Nothing outside `host/node` touches the machine in any other way:
 * this is what lets a whole cluster run, crash and replay from one seed in one thread.
 */
import type { Clock, Timers } from "./clock.ts";
import type { Files } from "./files.ts";
import type { Network } from "./network.ts";
import type { Random } from "./random.ts";

export interface HostProcess {
  readonly pid: number;
  /** Physical memory of the machine, bytes. */
  readonly totalMemoryBytes: number;
  /** The user's home folder, for client state that RocketMQ keeps there. */
  readonly homeFolder: string;
  /** Hour of the day, 0 to 23, where the machine is; absent: it lives by UTC. */
  readonly hourOf?: (wallMs: number) => number;
}

export interface Host {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly files: Files;
  readonly network: Network;
  readonly process: HostProcess;
}
