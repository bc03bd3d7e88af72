/**
 * Interleaved rounds: every server takes its turn at the same workload before the next round begins, so that what
 * drifts on the machine falls on all of them. Each turn has a fresh server on an empty folder, and the raw
 * write+fdatasync rate of the same disk beside it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { rawSyncRate } from "./measure/raw-sync.ts";
import type { FlushDiskType, StartBenchServer } from "./servers/bench-server.ts";
import type { Measured, Workload } from "./workloads/workload.ts";

export interface Turn extends Measured {
  readonly workload: string;
  readonly flush: FlushDiskType;
  readonly round: number;
  readonly server: string;
  readonly about: string;
  readonly rawSyncPerSecond: number;
  readonly readyMs: number;
}

export interface RoundsOptions {
  readonly workloads: readonly Workload[];
  readonly flushes: readonly FlushDiskType[];
  readonly servers: readonly StartBenchServer[];
  readonly rounds: number;
  readonly seconds: number;
  /** Where stores are made. */
  readonly folder: string;
  readonly said: (line: string) => void;
}

const RAW_SYNC_MS = 500;

export async function runRounds(options: RoundsOptions): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (const flush of options.flushes) {
    for (const workload of options.workloads) {
      for (let round = 1; round <= options.rounds; round++) {
        // Who goes first changes from round to round.
        const order = round % 2 === 1 ? options.servers : [...options.servers].reverse();
        for (const start of order) {
          const turn = await takeTurn(start, workload, flush, round, options);
          if (turn === undefined) continue;
          turns.push(turn);
          options.said(
            `${flush} ${workload.id} round ${round}: ${turn.server} ${Math.round(turn.perSecond).toLocaleString("en")}/s`,
          );
        }
      }
    }
  }
  return turns;
}

async function takeTurn(
  start: StartBenchServer,
  workload: Workload,
  flush: FlushDiskType,
  round: number,
  options: RoundsOptions,
): Promise<Turn | undefined> {
  const folder = mkdtempSync(join(options.folder, "orbitmq-bench-"));
  try {
    const rawSyncPerSecond = rawSyncRate(folder, RAW_SYNC_MS);
    const server = await start({ flush, folder });
    try {
      if (!server.stores && !workload.fitsNull) return undefined;
      const measured = await workload.run(server, options.seconds);
      return {
        ...measured,
        workload: workload.id,
        flush,
        round,
        server: server.name,
        about: server.about,
        rawSyncPerSecond,
        readyMs: server.readyMs,
      };
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
