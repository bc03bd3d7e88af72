/** One message by queue offset, and a queue offset by time, with the files in the page cache and without. */
import { appendMany, QUEUES, repeated } from "./appending.ts";
import { forgetFiles, rawRandomPread } from "./raw-reads.ts";
import { randomReads, timeLookups } from "./reading.ts";
import type { StoreBench, StoreWorkload } from "./workload.ts";

const READS = 20_000;
const COLD_READS = 2_000;
const TIME_LOOKUPS = 2_000;
const COLD_TIME_LOOKUPS = 500;

async function measure(bench: StoreBench, home: string, isCold: boolean): Promise<void> {
  const name = (what: string) => (isCold ? `${what}, cold` : what);
  const perQueue = Math.floor(bench.messages / QUEUES);
  if (isCold) forgetFiles();
  const raw = rawRandomPread(home, isCold ? COLD_READS : READS);
  const beside = `; raw 4 KiB preads at random ${Math.round(raw).toLocaleString("en")}/s`;
  const store = await bench.opened({ home, flushDiskType: "ASYNC_FLUSH" });
  if (isCold) forgetFiles();
  const reads = await randomReads(store, QUEUES, perQueue, isCold ? COLD_READS : READS);
  const latencies = `p50 ${reads.p50Ms.toFixed(3)}, p99 ${reads.p99Ms.toFixed(3)} ms`;
  bench.tell(name("random read by offset"), reads.perSecond, "reads/s", latencies + beside);
  if (isCold) forgetFiles();
  const lookups = await timeLookups(store, QUEUES, isCold ? COLD_TIME_LOOKUPS : TIME_LOOKUPS);
  const each = `p50 ${lookups.p50Ms.toFixed(3)}, p99 ${lookups.p99Ms.toFixed(3)} ms`;
  bench.tell(name("lookup by time"), lookups.perSecond, "lookups/s", each + beside);
  await store.stop();
}

export const lookups: StoreWorkload = {
  id: "lookups",
  about: "random reads by queue offset, and lookups by time, with and without the page cache",
  seconds: 30,
  run: (bench) =>
    bench.inFolder(async (home) => {
      const store = await bench.opened({ home, flushDiskType: "ASYNC_FLUSH" });
      await appendMany(bench.host, store, bench.messages, repeated({}));
      await store.stop();
      await measure(bench, home, false);
      await measure(bench, home, true);
    }),
};
