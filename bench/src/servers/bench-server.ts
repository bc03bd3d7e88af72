/** A server being measured, whichever it is: where it listens, which processes it consists of, what it has stored. */
export type FlushDiskType = "SYNC_FLUSH" | "ASYNC_FLUSH";

export type ServerKind = "orbitmq" | "java" | "null";

export interface BenchServerOptions {
  readonly flush: FlushDiskType;
  /** A folder of its own; what was stored there before is opened. */
  readonly folder: string;
  /** RocketMQ's gRPC proxy in the broker's process, as `-pm local` runs it. Default false. */
  readonly proxy?: boolean;
  /** A file that the process of OrbitMQ or of the null broker writes its stalls to, see measure/stall-probe.mjs. */
  readonly stallFile?: string;
  /** A folder that it leaves profiles of its event loop in, see measure/cpu-profile-probe.mjs. */
  readonly profileFolder?: string;
}

export interface BenchServer {
  readonly kind: ServerKind;
  /** How it is called in tables. */
  readonly name: string;
  /** Version and flags. */
  readonly about: string;
  readonly namesrvAddr: string;
  readonly brokerAddr: string;
  /** gRPC; only where a proxy was asked for. */
  readonly proxyAddr?: string;
  readonly pids: readonly number[];
  /** A NameServer that is a process of its own. */
  readonly namesrvPid?: number;
  /** From launch until it was ready. */
  readonly readyMs: number;
  /** Whether it keeps messages: only then can what is stored be counted. */
  readonly stores: boolean;
  readonly stallFile?: string;
  /** Ends it; by kill -9, or in order. */
  stop(how: "kill" | "stop"): Promise<void>;
}

export type StartBenchServer = (options: BenchServerOptions) => Promise<BenchServer>;

/** A server that takes turns. */
export interface Contestant {
  readonly name: string;
  readonly kind: ServerKind;
  readonly start: StartBenchServer;
}
