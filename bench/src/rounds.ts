/**
 * Interleaved rounds: every server takes its turn at the same workload before the next round begins, so that what
 * drifts on the machine falls on all of them. Each turn has a fresh server on an empty folder, and the raw
 * write+fdatasync rate of the same disk beside it. After each turn the result is handed over as far as it is.
 */
import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { Chosen } from "./catalogue.ts";
import { removeAtExit } from "./left-behind.ts";
import type { Machine } from "./measure/machine.ts";
import { rawSyncRate } from "./measure/raw-sync.ts";
import { RESULT_FORMAT, type Result, type Turn } from "./results/result.ts";
import type { Contestant, FlushDiskType } from "./servers/bench-server.ts";
import { TurnStage } from "./turn-stage.ts";
import type { Measured, Workload } from "./workloads/workload.ts";

export interface RoundsOptions {
  readonly contestants: readonly Contestant[];
  readonly rounds: number;
  readonly seconds: number;
  readonly scale: number;
  /** Where stores are made. */
  readonly folder: string;
  readonly machine: Machine;
  readonly command: string;
  readonly said: (line: string) => void;
  /** The result after each turn. */
  readonly onTurn: (result: Result) => void;
}

const RAW_SYNC_MS = 500;
/** A turn that does not count is repeated; a server that keeps failing is not measured. */
const FAILURES_MOST = 2;

/** Rounds wanted of this workload. */
export function roundsOf(workload: Workload, rounds: number): number {
  return Math.min(rounds, workload.roundsMost ?? rounds);
}

/** `before`: what an earlier run left; its rounds are not repeated. */
export async function runRounds(
  { workload, flush, name }: Chosen,
  options: RoundsOptions,
  before?: Result,
): Promise<Result> {
  const contestants = options.contestants.filter(({ kind }) => workload.servers.includes(kind));
  const turns: Turn[] = [...(before?.turns ?? [])];
  const about: Record<string, string> = { ...before?.about };
  const discarded: string[] = [...(before?.discarded ?? [])];
  const rounds = roundsOf(workload, options.rounds);
  const startedAt = before?.startedAt ?? new Date().toISOString();
  const result = (): Result => ({
    format: RESULT_FORMAT,
    name,
    title: workload.title,
    flush,
    goals: workload.goals(flush),
    roundsWanted: rounds,
    seconds: options.seconds,
    scale: options.scale,
    command: options.command,
    startedAt,
    machine: options.machine,
    about,
    discarded,
    turns,
  });
  const failures = new Map<Contestant, number>();
  const done = (contestant: Contestant, round: number) =>
    turns.some((turn) => turn.round === round && turn.server === contestant.name);
  for (let round = 1; round <= rounds; round++) {
    // Who goes first changes from round to round.
    const order = round % 2 === 1 ? contestants : [...contestants].reverse();
    for (const contestant of order) {
      if (done(contestant, round)) continue;
      while ((failures.get(contestant) ?? 0) < FAILURES_MOST) {
        const taken = await attempt(contestant, workload, flush, options);
        if (taken instanceof Error) {
          failures.set(contestant, (failures.get(contestant) ?? 0) + 1);
          const line = `${contestant.name}, round ${round}: ${taken.message.slice(0, 1_000)}`;
          discarded.push(line);
          options.said(`${name} does not count: ${line}`);
          options.onTurn(result());
          continue;
        }
        for (const { who, about: text, metrics } of taken.measured) {
          turns.push({
            round,
            server: contestant.name,
            who,
            rawSyncPerSecond: taken.rawSyncPerSecond,
            metrics,
          });
          about[who] = text;
          options.said(`${name} round ${round}/${rounds}: ${who} ${glance(metrics)}`);
        }
        options.onTurn(result());
        break;
      }
    }
  }
  return result();
}

interface Taken {
  readonly rawSyncPerSecond: number;
  readonly measured: readonly Measured[];
}

async function attempt(
  contestant: Contestant,
  workload: Workload,
  flush: FlushDiskType,
  options: RoundsOptions,
): Promise<Taken | Error> {
  const folder = mkdtempSync(join(options.folder, "orbitmq-bench-"));
  const remove = removeAtExit(folder);
  try {
    const rawSyncPerSecond = rawSyncRate(folder, RAW_SYNC_MS);
    const home = join(folder, "store");
    mkdirSync(home);
    const { seconds, scale } = options;
    const stage = await TurnStage.open(contestant, { folder, home, flush, seconds, scale, workload });
    try {
      const got = await workload.run(stage);
      const { name: who, about } = stage.server;
      return {
        rawSyncPerSecond,
        measured: Array.isArray(got) ? got : [{ who, about, metrics: got }],
      } as Taken;
    } finally {
      await stage.server.stop("kill");
    }
  } catch (error) {
    return error as Error;
  } finally {
    remove();
  }
}

function glance(metrics: Measured["metrics"]): string {
  return Object.entries(metrics)
    .slice(0, 4)
    .map(
      ([name, value]) =>
        `${name} ${value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 })}`,
    )
    .join(", ");
}
