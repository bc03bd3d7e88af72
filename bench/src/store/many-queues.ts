/** Memory and start with 80,000 queues and 50 GiB of sparse log, in a process that does nothing else. */
import { inChild } from "./child.ts";
import type { Used } from "./open-and-use.ts";
import { forgetFiles } from "./raw-reads.ts";
import type { StoreWorkload } from "./workload.ts";

const GIB = 1024 ** 3;
const TOPICS = 10_000;
const LOG_BYTES = 50 * GIB;
const GOAL_MIB = 256;

export const manyQueues: StoreWorkload = {
  id: "many-queues",
  about: "memory and start with 50 GiB of sparse log and 80,000 queues",
  seconds: 240,
  run: (bench) =>
    bench.inFolder(async (home) => {
      inChild("fill-queues.ts", [home, String(LOG_BYTES), String(TOPICS)]);
      forgetFiles();
      const { openMs, firstMs, rss, peak } = inChild<Used>("open-and-use.ts", [home, String(TOPICS)]);
      bench.tell(
        "start with 80,000 queues and 50 GiB",
        firstMs,
        "ms",
        `open after ${openMs.toFixed(0)} ms, page cache empty`,
      );
      const steps = `${rss.before} MiB before the store, ${rss.opened} open, ${rss.appended} after an append to each queue, ${rss.read} after reads of 4,000; peak ${peak}`;
      bench.tell(
        "memory with 80,000 queues and 50 GiB",
        Math.max(rss.opened, rss.appended, rss.read),
        "MiB",
        steps,
        {
          is: "at most",
          bound: GOAL_MIB,
          measured: Math.max(rss.opened, rss.appended, rss.read),
          unit: "MiB resident",
        },
      );
    }),
};
