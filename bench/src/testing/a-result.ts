/** A small result for tests of what is made of results. */
import { OURS } from "../results/goal.ts";
import { RESULT_FORMAT, type Result, type Turn } from "../results/result.ts";

export function aTurn(turn: Partial<Turn> = {}): Turn {
  return { round: 1, server: OURS, who: OURS, rawSyncPerSecond: 9_000, metrics: { perSecond: 100 }, ...turn };
}

export function aResult(result: Partial<Result> = {}): Result {
  return {
    format: RESULT_FORMAT,
    name: "a-sync",
    title: "a title",
    flush: "SYNC_FLUSH",
    goals: [],
    roundsWanted: 1,
    seconds: 8,
    scale: 1,
    command: "npm run bench -- compare",
    startedAt: "2026-01-01T00:00:00.000Z",
    machine: {
      cpu: "a CPU",
      cores: 2,
      memoryGiB: 24,
      kernel: "6.1",
      fileSystem: "ext4",
      node: "v20",
      java: "openjdk 17",
      commit: "abc",
    },
    about: { [OURS]: "defaults, flushDiskType=SYNC_FLUSH" },
    discarded: [],
    turns: [aTurn()],
    ...result,
  };
}
