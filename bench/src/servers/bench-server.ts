/** A server being measured, whichever it is: where it listens, which processes it consists of, what it has stored. */
export type FlushDiskType = "SYNC_FLUSH" | "ASYNC_FLUSH";

export interface BenchServerOptions {
  readonly flush: FlushDiskType;
  /** An empty folder of its own. */
  readonly folder: string;
}

export interface BenchServer {
  /** How it is called in tables. */
  readonly name: string;
  /** Version and flags. */
  readonly about: string;
  readonly namesrvAddr: string;
  readonly brokerAddr: string;
  readonly pids: readonly number[];
  /** From launch until it was ready. */
  readonly readyMs: number;
  /** Whether it keeps messages: only then can what is stored be counted. */
  readonly stores: boolean;
  /** Ends it; how gracefully does not matter any more. */
  stop(): Promise<void>;
}

export type StartBenchServer = (options: BenchServerOptions) => Promise<BenchServer>;
