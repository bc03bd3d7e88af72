/** One turn's server, on a store that outlives it: a workload may end it and start it again on what it has stored. */
import { join } from "node:path";
import type { BenchServer, Contestant, FlushDiskType } from "./servers/bench-server.ts";
import type { Stage, Workload } from "./workloads/workload.ts";

export interface TurnStageOptions {
  readonly folder: string;
  /** Of the server. */
  readonly home: string;
  readonly flush: FlushDiskType;
  readonly seconds: number;
  readonly scale: number;
  readonly workload: Workload;
  /** Where profiles of its event loop are left; default none are made. */
  readonly profileFolder?: string;
}

const MESSAGES_LEAST = 1_000;

export class TurnStage implements Stage {
  readonly #contestant: Contestant;
  readonly #options: TurnStageOptions;
  #server: BenchServer;

  private constructor(contestant: Contestant, options: TurnStageOptions, server: BenchServer) {
    this.#contestant = contestant;
    this.#options = options;
    this.#server = server;
  }

  static async open(contestant: Contestant, options: TurnStageOptions): Promise<TurnStage> {
    return new TurnStage(contestant, options, await start(contestant, options));
  }

  get server(): BenchServer {
    return this.#server;
  }

  get flush(): FlushDiskType {
    return this.#options.flush;
  }

  get seconds(): number {
    return this.#options.seconds;
  }

  get folder(): string {
    return this.#options.folder;
  }

  scaled(count: number): number {
    return Math.max(Math.min(count, MESSAGES_LEAST), Math.round(count * this.#options.scale));
  }

  async restart(how: "kill" | "stop", between?: () => void): Promise<BenchServer> {
    await this.#server.stop(how);
    between?.();
    this.#server = await start(this.#contestant, this.#options);
    return this.#server;
  }
}

function start(
  contestant: Contestant,
  { home, folder, flush, workload, profileFolder }: TurnStageOptions,
): Promise<BenchServer> {
  return contestant.start({
    flush,
    folder: home,
    ...(workload.needs?.proxy === true ? { proxy: true } : {}),
    ...(workload.needs?.stallProbe === true ? { stallFile: join(folder, "stalls.json") } : {}),
    ...(profileFolder === undefined ? {} : { profileFolder }),
  });
}
