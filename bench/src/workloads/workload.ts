/** Something that is asked of every server alike, and what came of it. */
import type { BenchServer, FlushDiskType } from "../servers/bench-server.ts";

export interface Measured {
  readonly perSecond: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  readonly refused: number;
  /** Microseconds of all the server's threads, and of its busiest one, for each message. */
  readonly serverCpuUs: number;
  readonly serverThreadUs: number;
  readonly serverRssMiB: number;
  /** Share of one core that the client used. */
  readonly clientCores: number;
}

export interface Goal {
  /** At least so many times the original's rate. */
  readonly rate?: number;
  /** At most so many times the original's p99. */
  readonly p99?: number;
  /** At least so much of what the client gets from the null broker. */
  readonly ofNull?: number;
}

export interface Workload {
  /** Short, for files and options: `pipelined-1x64-128`. */
  readonly id: string;
  /** For people. */
  readonly title: string;
  /** Whether the null broker answers what it asks. */
  readonly fitsNull: boolean;
  goal(flush: FlushDiskType): Goal;
  /** Throws when the run does not count: acknowledged messages are not in their queues. */
  run(server: BenchServer, seconds: number): Promise<Measured>;
}
