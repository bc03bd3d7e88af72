/** Something that is asked of every server alike, and what came of it. */
import type { Metrics } from "../measure/metrics.ts";
import type { Goal } from "../results/goal.ts";
import type { BenchServer, FlushDiskType, ServerKind } from "../servers/bench-server.ts";

/** What a workload is given for one turn. */
export interface Stage {
  /** The one that runs now: another after `restart`. */
  readonly server: BenchServer;
  readonly flush: FlushDiskType;
  /** How long to measure where a workload goes by time. */
  readonly seconds: number;
  /** `count` messages, times the run's `--scale`; at least 1,000. */
  scaled(count: number): number;
  /** Of this turn, beside the store. */
  readonly folder: string;
  /** Ends the server (kill -9, or in order), lets `between` do what it likes, and starts it on the same store. */
  restart(how: "kill" | "stop", between?: () => void): Promise<BenchServer>;
}

/** Figures of somebody else than the server itself: a client on it, another system. */
export interface Measured {
  readonly who: string;
  readonly about: string;
  readonly metrics: Metrics;
}

export interface Workload {
  /** Short, for files and options: `pipelined-1x64-128`. */
  readonly id: string;
  /** For people. */
  readonly title: string;
  /** Servers that it can be asked of. */
  readonly servers: readonly ServerKind[];
  /** Default both. */
  readonly flushes?: readonly FlushDiskType[];
  /** It takes so long that more rounds make no sense. */
  readonly roundsMost?: number;
  /** Of the servers it runs on. */
  readonly needs?: {
    /** RocketMQ's gRPC proxy in the broker's process. */
    readonly proxy?: boolean;
    /** OrbitMQ and the null broker with the probe of their event loop. */
    readonly stallProbe?: boolean;
  };
  goals(flush: FlushDiskType): readonly Goal[];
  /** Throws when the run does not count: acknowledged messages are not in their queues. */
  run(stage: Stage): Promise<Metrics | readonly Measured[]>;
}
