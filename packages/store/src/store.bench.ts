/**
 * What the store can do on this disk, beside what the disk can do by itself, in one run:
 * `node --conditions=orbitmq-source --import tsx packages/store/src/store.bench.ts [seconds] [folder]`.
 *
 * Appends of 128 B bodies with N waiting (each settled append is followed by the next), SYNC_FLUSH and
 * ASYNC_FLUSH, then tail and cold reads. CPU per append is what is left when the disk does not count.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@orbitmq/host";
import { nodeHost } from "@orbitmq/host/node";
import type { RecordInput } from "@orbitmq/wire";
import { type AppendWaiter, type FileMessageStore, openMessageStore } from "./index.ts";

const seconds = Number(process.argv[2] ?? 2);
const parent = process.argv[3] ?? tmpdir();
const host = nodeHost();

function message(queueId: number, index: number): RecordInput {
  return {
    topic: "BenchTopic",
    queueId,
    flag: 0,
    sysFlag: 0,
    bornTimestamp: 1_700_000_000_000,
    bornHost: Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f),
    storeHost: Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: new Uint8Array(128).fill(index & 0x7f),
    properties: `UNIQ_KEY\u00017F0000010000000000000000${index % 100_000}\u0002WAIT\u0001true\u0002TAGS\u0001TagA\u0002`,
  };
}

function rawRate(folder: string): Promise<number> {
  const file = host.files.openSync(join(folder, "raw"), { create: true });
  const page = Buffer.alloc(4096, 1);
  const span = 64 * 1024 * 1024;
  for (let at = 0; at < span; at += page.length * 256) file.writeSync(Buffer.alloc(page.length * 256), at);
  file.fdatasyncSync();
  let count = 0;
  const end = host.clock.monotonicMs() + 1000;
  return new Promise((resolve) => {
    const step = () => {
      if (host.clock.monotonicMs() >= end) {
        file.closeSync();
        resolve(count);
        return;
      }
      file.writeSync(page, (count * page.length) % span);
      file.fdatasync("log", () => {
        count += 1;
        step();
      });
    };
    step();
  });
}

async function withStore(
  options: { flush: "SYNC_FLUSH" | "ASYNC_FLUSH" },
  run: (store: FileMessageStore) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(parent, "orbitmq-bench-"));
  const store = openMessageStore(host, { home, flushDiskType: options.flush }, silentLogger);
  await store.start();
  try {
    await run(store);
  } finally {
    await store.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

function percentile(sorted: Float64Array, share: number): string {
  return (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(3);
}

/** Keeps `waiting` appends in flight for the given time. */
function appendFor(
  store: FileMessageStore,
  waiting: number,
  durability: "written" | "flushed",
): Promise<string> {
  const messages = Array.from({ length: 1024 }, (_, index) => message(index % 8, index));
  const latencies: number[] = [];
  let sent = 0;
  let settled = 0;
  const begin = host.clock.monotonicMs();
  const cpu = process.cpuUsage();
  const end = begin + seconds * 1000;
  return new Promise((resolve) => {
    class Waiter implements AppendWaiter {
      #sentMs = 0;
      send(): void {
        this.#sentMs = host.clock.monotonicMs();
        sent += 1;
        const result = store.append(messages[sent & 1023]!, durability, this);
        if (result.status !== "appended") throw new Error(result.remark);
      }
      appendSettled(): void {
        const now = host.clock.monotonicMs();
        settled += 1;
        if ((settled & 15) === 0) latencies.push(now - this.#sentMs);
        if (now < end) this.send();
        else if (settled === sent) finish(now);
      }
    }
    const finish = (now: number) => {
      const used = process.cpuUsage(cpu);
      const sorted = Float64Array.from(latencies).sort();
      const rate = Math.round((settled / (now - begin)) * 1000);
      const cpuUs = ((used.user + used.system) / settled).toFixed(2);
      resolve(
        `${rate}/s  p50 ${percentile(sorted, 0.5)}  p99 ${percentile(sorted, 0.99)}  p99.9 ${percentile(sorted, 0.999)} ms  cpu ${cpuUs} µs each`,
      );
    };
    for (let index = 0; index < waiting; index += 1) new Waiter().send();
  });
}

function readAll(store: FileMessageStore, queueId: number, from: number): Promise<number> {
  let bytes = 0;
  return new Promise((resolve) => {
    const step = (offset: number): void => {
      const request = { topic: "BenchTopic", queueId, offset, messagesMax: 32, bytesMax: 262_144 };
      store.get(request, (result) => {
        bytes += result.byteCount;
        const { status, nextBeginOffset } = result;
        result.release();
        if (status !== "FOUND") resolve(bytes);
        else if ((nextBeginOffset & 1023) < 32) host.timers.afterTurn(() => step(nextBeginOffset));
        else step(nextBeginOffset);
      });
    };
    step(from);
  });
}

async function timed(
  what: string,
  store: FileMessageStore,
  from: (queueId: number) => number,
): Promise<void> {
  const begin = host.clock.monotonicMs();
  let bytes = 0;
  for (let queueId = 0; queueId < 8; queueId += 1) bytes += await readAll(store, queueId, from(queueId));
  const ms = host.clock.monotonicMs() - begin;
  const rate = (bytes / 1024 / 1024 / ms) * 1000;
  console.log(
    `${what}: ${(bytes / 1024 / 1024).toFixed(0)} MiB in ${ms.toFixed(0)} ms, ${rate.toFixed(0)} MiB/s`,
  );
}

const folder = mkdtempSync(join(parent, "orbitmq-raw-"));
console.log(`raw write+fdatasync 4 KiB: ${await rawRate(folder)}/s`);
rmSync(folder, { recursive: true, force: true });
for (const waiting of [1, 8, 64, 512]) {
  await withStore({ flush: "SYNC_FLUSH" }, async (store) => {
    console.log(
      `SYNC_FLUSH  ${String(waiting).padStart(4)} waiting: ${await appendFor(store, waiting, "flushed")}`,
    );
  });
}
await withStore({ flush: "ASYNC_FLUSH" }, async (store) => {
  console.log(`ASYNC_FLUSH   64 waiting: ${await appendFor(store, 64, "written")}`);
  await timed("cold read, page cache", store, () => 0);
  await timed("tail read", store, (queueId) =>
    Math.max(0, store.readableEnd("BenchTopic", queueId) - 10_000),
  );
  const { heapUsed, rss } = process.memoryUsage();
  console.log(`heap ${(heapUsed / 2 ** 20).toFixed(0)} MiB, rss ${(rss / 2 ** 20).toFixed(0)} MiB`);
});
