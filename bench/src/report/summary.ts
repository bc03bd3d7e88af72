/** Turns of several rounds, put together by workload, flush mode and server; and whether a goal was met. */
import { type Spread, spread } from "../measure/statistics.ts";
import type { Turn } from "../rounds.ts";
import type { FlushDiskType } from "../servers/bench-server.ts";
import type { Goal, Workload } from "../workloads/workload.ts";

export interface Summary {
  readonly workload: string;
  readonly title: string;
  readonly flush: FlushDiskType;
  readonly server: string;
  readonly rounds: number;
  readonly perSecond: Spread;
  readonly p50Ms: Spread | undefined;
  readonly p99Ms: Spread | undefined;
  readonly p999Ms: Spread | undefined;
  readonly refused: number;
  readonly serverCpuUs: Spread;
  readonly serverThreadUs: Spread;
  readonly serverRssMiB: Spread;
  readonly clientCores: Spread;
  readonly rawSyncPerSecond: Spread;
}

export interface Verdict {
  readonly workload: string;
  readonly flush: FlushDiskType;
  /** `rate ≥ 4.0× RocketMQ 5.5.0`. */
  readonly goal: string;
  readonly reached: number;
  readonly passed: boolean;
}

export function summarize(turns: readonly Turn[], workloads: readonly Workload[]): Summary[] {
  const groups = new Map<string, Turn[]>();
  for (const turn of turns) {
    const key = `${turn.flush} ${turn.workload} ${turn.server}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [turn]);
    else group.push(turn);
  }
  return [...groups.values()].map((group) => {
    const { workload, flush, server } = group[0]!;
    const of = (pick: (turn: Turn) => number) => spread(group.map(pick));
    const maybe = (pick: (turn: Turn) => number | undefined) => {
      const values = group.map(pick).filter((value) => value !== undefined);
      return values.length === 0 ? undefined : spread(values);
    };
    return {
      workload,
      title: workloads.find(({ id }) => id === workload)?.title ?? workload,
      flush,
      server,
      rounds: group.length,
      perSecond: of((turn) => turn.perSecond),
      p50Ms: maybe((turn) => turn.p50Ms),
      p99Ms: maybe((turn) => turn.p99Ms),
      p999Ms: maybe((turn) => turn.p999Ms),
      refused: group.reduce((sum, turn) => sum + turn.refused, 0),
      serverCpuUs: of((turn) => turn.serverCpuUs),
      serverThreadUs: of((turn) => turn.serverThreadUs),
      serverRssMiB: of((turn) => turn.serverRssMiB),
      clientCores: of((turn) => turn.clientCores),
      rawSyncPerSecond: of((turn) => turn.rawSyncPerSecond),
    };
  });
}

/** Ratios of the medians of one run; a goal that needs a server which did not take part has no verdict. */
export function judge(
  summaries: readonly Summary[],
  workloads: readonly Workload[],
  ours: string,
  original: string,
  nothing: string,
): Verdict[] {
  const verdicts: Verdict[] = [];
  for (const mine of summaries.filter(({ server }) => server === ours)) {
    const { workload, flush } = mine;
    const beside = (server: string) =>
      summaries.find((each) => each.workload === workload && each.flush === flush && each.server === server);
    const goal: Goal = workloads.find(({ id }) => id === workload)?.goal(flush) ?? {};
    const theirs = beside(original);
    const ceiling = beside(nothing);
    const add = (text: string, reached: number | undefined, passed: (reached: number) => boolean): void => {
      if (reached === undefined || !Number.isFinite(reached)) return;
      verdicts.push({ workload, flush, goal: text, reached, passed: passed(reached) });
    };
    const { rate, p99, ofNull } = goal;
    if (rate !== undefined && theirs !== undefined) {
      const reached = mine.perSecond.median / theirs.perSecond.median;
      add(`rate ≥ ${rate}× ${original}`, reached, (ratio) => ratio >= rate);
    }
    if (p99 !== undefined && theirs?.p99Ms !== undefined && mine.p99Ms !== undefined) {
      const reached = mine.p99Ms.median / theirs.p99Ms.median;
      add(`p99 ≤ ${p99}× ${original}`, reached, (ratio) => ratio <= p99);
    }
    if (ofNull !== undefined && ceiling !== undefined) {
      const reached = mine.perSecond.median / ceiling.perSecond.median;
      add(`rate ≥ ${ofNull}× ${nothing}`, reached, (ratio) => ratio >= ofNull);
    }
  }
  return verdicts;
}
