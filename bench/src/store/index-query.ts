/** Messages by key, over several IndexFiles: just written, and from a disk whose page cache is empty. */
import type { FileMessageStore, KeyQueryResult } from "@orbitmq/store";
import { appendMany, message, TOPIC, uniqKey } from "./appending.ts";
import { forgetFiles, rawRandomPread } from "./raw-reads.ts";
import { oneByOne } from "./reading.ts";
import type { StoreBench, StoreWorkload } from "./workload.ts";

const QUERIES = 2_000;
const COLD_QUERIES = 300;
/** So that a million messages, of three keys each with their tag, make eight files. */
const SIZES = { maxHashSlotNum: 200_000, maxIndexNum: 400_000 };

const keyOf = (index: number): string => `order-${index}`;

async function query(store: FileMessageStore, key: string): Promise<void> {
  const result = await new Promise<KeyQueryResult>((resolve) =>
    store.queryByKey(
      { topic: TOPIC, key, messagesMax: 32, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER },
      resolve,
    ),
  );
  if (result.messageCount !== 1 || !result.complete) {
    throw new Error(`${result.messageCount} messages were found by the key ${key}`);
  }
  result.release();
}

async function measure(
  bench: StoreBench,
  home: string,
  store: FileMessageStore,
  isCold: boolean,
): Promise<void> {
  const raw = rawRandomPread(home, isCold ? COLD_QUERIES : QUERIES);
  const beside = `raw 4 KiB preads at random ${Math.round(raw).toLocaleString("en")}/s`;
  for (const [name, of] of [
    ["KEYS", keyOf],
    ["UNIQ_KEY", uniqKey],
  ] as const) {
    if (isCold) forgetFiles();
    const { perSecond, p50Ms, p99Ms } = await oneByOne(isCold ? COLD_QUERIES : QUERIES, () =>
      query(store, of(Math.floor(Math.random() * bench.messages))),
    );
    const latencies = `p50 ${p50Ms.toFixed(3)}, p99 ${p99Ms.toFixed(3)} ms; ${beside}`;
    bench.tell(`query by ${name}${isCold ? ", cold" : ""}`, perSecond, "queries/s", latencies);
  }
}

export const indexQuery: StoreWorkload = {
  id: "index-query",
  about: "messages by KEYS and by UNIQ_KEY over eight IndexFiles, with and without the page cache",
  seconds: 30,
  run: (bench) =>
    bench.inFolder(async (home) => {
      const options = { home, flushDiskType: "ASYNC_FLUSH", ...SIZES } as const;
      let store = await bench.opened(options);
      await appendMany(bench.host, store, bench.messages, (index) =>
        message(index, {}, `KEYS\u0001${keyOf(index)}\u0002`),
      );
      await measure(bench, home, store, false);
      await store.stop();
      forgetFiles();
      store = await bench.opened(options);
      await measure(bench, home, store, true);
      await store.stop();
    }),
};
