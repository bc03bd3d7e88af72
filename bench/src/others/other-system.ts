/** Another system that is installed here: started on a folder of its own, loaded with one connection, counted. */
import type { OrderedLoadOptions } from "./ordered-load.ts";

export interface OtherSystem {
  /** As tables call it. */
  readonly name: string;
  /** Whose place it takes: what it promises with an acknowledgement. */
  readonly flush: "SYNC_FLUSH" | "ASYNC_FLUSH";
  readonly system: OrderedLoadOptions["system"];
  /** Of its load, beside this file; takes OrderedLoadOptions, prints OrderedLoadResult. */
  readonly script: string;
  /** Undefined where it is not installed. */
  version(): string | undefined;
  start(folder: string, port: number): Promise<RunningSystem>;
}

export interface RunningSystem {
  /** The one started, and what it started. */
  pids(): readonly number[];
  stop(): Promise<void>;
}
