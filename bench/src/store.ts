/**
 * `npm run bench -- store`: what the store does by itself, each figure beside what the disk does in the same run.
 *
 *   group commit at 1, 8, 64 and 512 waiting appends (SYNC_FLUSH), appends under ASYNC_FLUSH
 *   tail read, cold sequential read beside raw pread of the same bytes, random read by offset, lookup by time
 *   recovery: opening again after an end without a stop
 *
 *   --seconds 3 --messages 1000000 (for the reads) --folder DIR --json
 */
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import { type FileMessageStore, openMessageStore } from "@orbitmq/store";
import { rawSyncRate } from "./measure/raw-sync.ts";
import { appendFor, appendMany, QUEUES, TOPIC } from "./store/appending.ts";
import { leaveKilledStore } from "./store/killed-store.ts";
import { randomReads, sequentialRead, timeLookups } from "./store/reading.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    seconds: { type: "string", default: "3" },
    messages: { type: "string", default: "1000000" },
    folder: { type: "string", default: tmpdir() },
    json: { type: "boolean", default: false },
  },
});
const RAW_SYNC_MS = 1_000;
const PREAD_BYTES = 256 * 1024;
const RANDOM_READS = 20_000;
const TIME_LOOKUPS = 2_000;
const MIB = 1024 * 1024;

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly beside?: string;
}

const host = nodeHost();
const figures: Figure[] = [];

function tell(what: string, value: number, unit: string, beside = ""): void {
  figures.push({ what, value, unit, beside });
  if (values.json) return;
  const shown = value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });
  console.log(`${what.padEnd(40)} ${shown.padStart(12)} ${unit.padEnd(12)} ${beside}`);
}

async function opened(home: string, flushDiskType: "SYNC_FLUSH" | "ASYNC_FLUSH"): Promise<FileMessageStore> {
  const store = openMessageStore(host, { home, flushDiskType }, silentLogger);
  await store.start();
  return store;
}

async function inFolder(run: (home: string) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(values.folder, "orbitmq-bench-"));
  try {
    await run(home);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function appends(flush: "SYNC_FLUSH" | "ASYNC_FLUSH", waiting: number): Promise<void> {
  await inFolder(async (home) => {
    const raw = rawSyncRate(home, RAW_SYNC_MS);
    const store = await opened(home, flush);
    const durability = flush === "SYNC_FLUSH" ? "flushed" : "written";
    const { perSecond, p50Ms, p99Ms, p999Ms, cpuUs } = await appendFor(
      store,
      waiting,
      durability,
      Number(values.seconds) * 1000,
    );
    await store.stop();
    const latencies = `p50 ${p50Ms.toFixed(3)}, p99 ${p99Ms.toFixed(3)}, p99.9 ${p999Ms.toFixed(3)} ms`;
    const beside = `${latencies}; CPU ${cpuUs.toFixed(2)} µs each; raw sync ${Math.round(raw).toLocaleString("en")}/s`;
    tell(`${flush}, ${waiting} waiting`, perSecond, "appends/s", beside);
  });
}

/** The page cache of one folder's files, forgotten; false where that cannot be asked for. */
function dropPageCache(): boolean {
  spawnSync("sync");
  try {
    writeFileSync("/proc/sys/vm/drop_caches", "1");
    return true;
  } catch (error) {
    console.error(`the page cache stays: ${(error as Error).message}`);
    return false;
  }
}

/** MiB per second of plain preads over the log's bytes. */
function rawPread(home: string, bytes: number): number {
  const block = Buffer.alloc(PREAD_BYTES);
  const begin = performance.now();
  let left = bytes;
  for (const name of readdirSync(join(home, "commitlog")).sort()) {
    const fd = openSync(join(home, "commitlog", name), "r");
    for (let at = 0; left > 0; at += PREAD_BYTES) {
      const count = readSync(fd, block, 0, Math.min(PREAD_BYTES, left), at);
      if (count === 0) break;
      left -= count;
    }
    closeSync(fd);
  }
  return bytes / MIB / ((performance.now() - begin) / 1000);
}

for (const waiting of [1, 8, 64, 512]) await appends("SYNC_FLUSH", waiting);
await appends("ASYNC_FLUSH", 64);
await inFolder(async (home) => {
  const messages = Number(values.messages);
  let store = await opened(home, "ASYNC_FLUSH");
  await appendMany(store, messages);
  const tail = await sequentialRead(host, store, (queueId) =>
    Math.max(0, store.readableEnd(TOPIC, queueId) - 5_000),
  );
  tell("tail read", tail.perSecond, "messages/s", `${tail.mibPerSecond.toFixed(0)} MiB/s`);
  await store.stop();
  const bytes = store.status().writtenOffset;
  const isCold = dropPageCache();
  const raw = rawPread(home, bytes);
  if (isCold) dropPageCache();
  store = await opened(home, "ASYNC_FLUSH");
  const cold = await sequentialRead(host, store, () => 0);
  const share = `${cold.mibPerSecond.toFixed(0)} MiB/s, ${((cold.mibPerSecond / raw) * 100).toFixed(0)} % of raw pread (${raw.toFixed(0)} MiB/s)`;
  tell(isCold ? "cold sequential read" : "sequential read", cold.perSecond, "messages/s", share);
  const perQueue = Math.floor(messages / QUEUES);
  const random = await randomReads(store, perQueue, RANDOM_READS);
  tell("random read by offset", random.perSecond, "reads/s", `p99 ${random.p99Ms.toFixed(3)} ms`);
  const lookups = await timeLookups(store, TIME_LOOKUPS);
  tell("lookup by time", lookups.perSecond, "lookups/s", `p99 ${lookups.p99Ms.toFixed(3)} ms`);
  await store.stop();
});
await inFolder(async (home) => {
  leaveKilledStore(home, Number(values.messages));
  const begin = performance.now();
  const store = await opened(home, "SYNC_FLUSH");
  const ms = performance.now() - begin;
  const { messageCount, writtenOffset } = store.status();
  const size = `${messageCount.toLocaleString("en")} messages, ${(writtenOffset / MIB).toFixed(0)} MiB of log`;
  tell("recovery after kill -9", ms, "ms", size);
  await store.stop();
});
if (values.json) console.log(JSON.stringify(figures));
