/** Appends that wait for the disk, by how many wait; and those that wait for the page cache. */
import { rawSync } from "../measure/raw-sync.ts";
import { appendFor } from "./appending.ts";
import type { Goal, StoreBench, StoreWorkload } from "./workload.ts";

const RAW_SYNC_MS = 1_000;
/** The goal for 64 waiting appends holds where the disk syncs so often. */
const GOAL_RAW_SYNCS = 9_000;
const GOAL_APPENDS = 200_000;

async function measure(
  bench: StoreBench,
  flush: "SYNC_FLUSH" | "ASYNC_FLUSH",
  waiting: number,
): Promise<void> {
  await bench.inFolder(async (home) => {
    const before = rawSync(home, RAW_SYNC_MS / 2);
    const store = await bench.opened({ home, flushDiskType: flush });
    const durability = flush === "SYNC_FLUSH" ? "flushed" : "written";
    const { perSecond, p50Ms, p99Ms, p999Ms, cpuUs } = await appendFor(
      bench.host,
      store,
      waiting,
      durability,
      bench.seconds * 1000,
    );
    await store.stop();
    const after = rawSync(home, RAW_SYNC_MS / 2);
    const raw = (before.perSecond + after.perSecond) / 2;
    const rawCpuUs = (before.cpuUs + after.cpuUs) / 2;
    const latencies = `p50 ${p50Ms.toFixed(3)}, p99 ${p99Ms.toFixed(3)}, p99.9 ${p999Ms.toFixed(3)} ms`;
    const each = `CPU ${cpuUs.toFixed(2)} µs each, raw sync ${Math.round(raw).toLocaleString("en")}/s, CPU ${rawCpuUs.toFixed(1)} µs each`;
    // What the stalls of a busy machine leave out: a round of all that wait takes about the median.
    const undisturbed = `${Math.round((waiting * 1000) / p50Ms).toLocaleString("en")}/s by the median`;
    tell(bench, flush, waiting, perSecond, `${latencies}; ${each}; ${undisturbed}`, raw);
  });
}

function tell(
  bench: StoreBench,
  flush: string,
  waiting: number,
  perSecond: number,
  beside: string,
  raw: number,
): void {
  let goal: Goal | undefined;
  if (flush === "SYNC_FLUSH" && waiting === 64) {
    // On a slower disk, or one that others use meanwhile, the figure says nothing about the store.
    const isAsked = raw >= GOAL_RAW_SYNCS;
    goal = {
      is: "at least",
      bound: GOAL_APPENDS,
      measured: isAsked ? perSecond : undefined,
      unit: "appends/s",
    };
  }
  bench.tell(`${flush}, ${waiting} waiting`, perSecond, "appends/s", beside, goal);
}

export const groupCommit: StoreWorkload = {
  id: "group-commit",
  about: "appends of 128 B under SYNC_FLUSH with 1, 8, 64 and 512 waiting",
  seconds: 25,
  async run(bench) {
    for (const waiting of [1, 8, 64, 512]) await measure(bench, "SYNC_FLUSH", waiting);
  },
};

export const append: StoreWorkload = {
  id: "append",
  about: "appends of 128 B under ASYNC_FLUSH with 64 waiting",
  seconds: 6,
  run: (bench) => measure(bench, "ASYNC_FLUSH", 64),
};
