/**
 * Opening a store again whose process was killed amid appends: from the start to the first acknowledged append. The
 * log of 10 GiB is sparse (sparse-host.ts); what recovery costs must not follow its size.
 */
import type { AppendWaiter, FileMessageStore } from "@orbitmq/store";
import { rawSyncRate } from "../measure/raw-sync.ts";
import { message } from "./appending.ts";
import { inChild } from "./child.ts";
import { forgetFiles } from "./raw-reads.ts";
import type { StoreBench, StoreWorkload } from "./workload.ts";

const GIB = 1024 ** 3;
const GOAL_MS = 2_000;
const LOG_BYTES = 10 * GIB;

function firstAcknowledged(store: FileMessageStore): Promise<void> {
  return new Promise((resolve, reject) => {
    const waiter: AppendWaiter = {
      appendSettled: (outcome) => (outcome === "reached" ? resolve() : reject(new Error(outcome))),
    };
    const result = store.append(message(0), "flushed", waiter);
    if (result.status !== "appended") reject(new Error(result.remark));
  });
}

async function recover(bench: StoreBench, home: string, what: string, hasGoal: boolean): Promise<void> {
  const begin = performance.now();
  const store = await bench.opened({ home });
  const opened = performance.now() - begin;
  await firstAcknowledged(store);
  const ms = performance.now() - begin;
  const { messageCount, writtenOffset } = store.status();
  await store.stop();
  const raw = Math.round(rawSyncRate(home, 200)).toLocaleString("en");
  const size = `${messageCount.toLocaleString("en")} messages, ${(writtenOffset / GIB).toFixed(1)} GiB of log; open after ${opened.toFixed(0)} ms; raw sync ${raw}/s`;
  const goal = {
    is: "at most",
    bound: GOAL_MS,
    measured: ms,
    unit: "ms to the first acknowledgement",
  } as const;
  bench.tell(what, ms, "ms", size, hasGoal ? goal : undefined);
}

export const recovery: StoreWorkload = {
  id: "recovery",
  about:
    "kill -9 amid appends, then the first acknowledgement: 10 GiB of sparse log, and a million small records",
  seconds: 60,
  async run(bench) {
    for (const flush of ["SYNC_FLUSH", "ASYNC_FLUSH"]) {
      await bench.inFolder(async (home) => {
        inChild("fill-and-die.ts", [home, String(LOG_BYTES), "0", flush], "SIGKILL");
        await recover(bench, home, `recovery, 10 GiB, ${flush}`, true);
        if (flush === "ASYNC_FLUSH") return;
        inChild("fill-and-die.ts", [home, "0", "0", flush], "SIGKILL");
        if (forgetFiles()) await recover(bench, home, "recovery, 10 GiB, nothing in the page cache", true);
      });
    }
    await bench.inFolder(async (home) => {
      inChild("fill-and-die.ts", [home, "0", String(bench.messages), "ASYNC_FLUSH"], "SIGKILL");
      await recover(bench, home, "recovery, small records, ASYNC_FLUSH", false);
    });
  },
};
