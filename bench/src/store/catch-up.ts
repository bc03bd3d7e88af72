/**
 * Reading in order: the newest messages from memory, and everything from a disk whose page cache is empty, beside
 * plain preads of the same bytes. Raw and ours take turns, because the disk drifts.
 */
import { appendMany, repeated, TOPIC } from "./appending.ts";
import { forgetFiles, type RawRate, rawPread } from "./raw-reads.ts";
import { type ReadRate, sequentialRead } from "./reading.ts";
import type { StoreBench, StoreWorkload } from "./workload.ts";

const TAIL_MESSAGES = 5_000;
const TAIL_ROUNDS = 20;
const COLD_ROUNDS = 3;
const GOAL_SHARE = 0.6;
/** Of the log, whatever the size of its records. */
const LOG_BYTES = 320 * 1024 * 1024;

interface Shape {
  readonly bodyBytes: number;
  readonly queues: number;
}

/** How much of the raw rate is ours. */
function share({ raw, ours }: { raw: RawRate; ours: ReadRate }): number {
  return ours.mibPerSecond / raw.mibPerSecond;
}

async function readCold(bench: StoreBench, { bodyBytes, queues }: Shape): Promise<void> {
  await bench.inFolder(async (home) => {
    let store = await bench.opened({ home, flushDiskType: "ASYNC_FLUSH" });
    const recordBytes = bodyBytes + 215;
    const messages = Math.min(bench.messages, Math.floor(LOG_BYTES / recordBytes));
    await appendMany(bench.host, store, messages, repeated({ bodyBytes, queues }));
    const all = Array.from({ length: queues }, (_, queueId) => ({ queueId, from: 0 }));
    await store.stop();
    const bytes = store.status().writtenOffset;
    const rounds: { raw: RawRate; ours: ReadRate }[] = [];
    let isCold = false;
    for (let round = 0; round < COLD_ROUNDS; round++) {
      isCold = forgetFiles();
      const raw = rawPread(home, bytes);
      if (isCold) forgetFiles();
      store = await bench.opened({ home, flushDiskType: "ASYNC_FLUSH" });
      const ours = await sequentialRead(bench.host, store, all);
      await store.stop();
      if (ours.messages !== messages) throw new Error(`${ours.messages} of ${messages} messages were read`);
      rounds.push({ raw, ours });
    }
    rounds.sort((one, other) => share(one) - share(other));
    const { raw, ours } = rounds[rounds.length >> 1]!;
    const rates = `${ours.mibPerSecond.toFixed(0)} MiB/s, raw pread ${raw.mibPerSecond.toFixed(0)} MiB/s`;
    const ofCpu = (ours.perSecond * ours.cpuUs) / ours.mibPerSecond;
    const cpu = `CPU ${ours.cpuUs.toFixed(2)} µs each, ${ofCpu.toFixed(0)} µs per MiB, raw pread ${raw.cpuUsPerMib.toFixed(0)}`;
    const label = `${isCold ? "cold " : ""}sequential read, ${bodyBytes} B, ${queues} ${queues === 1 ? "queue" : "queues"}`;
    bench.tell(label, ours.perSecond, "messages/s", `${rates}; ${cpu}`, {
      is: "at least",
      bound: GOAL_SHARE,
      measured: share({ raw, ours }),
      unit: "of raw pread",
    });
  });
}

export const coldRead: StoreWorkload = {
  id: "cold-read",
  about:
    "everything in order from an empty page cache, beside plain preads: 128 B and 1 KiB, one queue and eight",
  seconds: 60,
  async run(bench) {
    for (const bodyBytes of [128, 1024]) {
      for (const queues of [1, 8]) await readCold(bench, { bodyBytes, queues });
    }
  },
};

export const tailRead: StoreWorkload = {
  id: "tail-read",
  about: "the newest 40,000 messages of eight queues, from memory",
  seconds: 3,
  run: (bench) =>
    bench.inFolder(async (home) => {
      const queues = 8;
      const store = await bench.opened({ home, flushDiskType: "ASYNC_FLUSH" });
      await appendMany(bench.host, store, TAIL_MESSAGES * queues, repeated({ queues }));
      const newest = Array.from({ length: queues }, (_, queueId) => ({
        queueId,
        from: Math.max(0, store.readableEnd(TOPIC, queueId) - TAIL_MESSAGES),
      }));
      const rates: ReadRate[] = [];
      for (let round = 0; round < TAIL_ROUNDS; round++)
        rates.push(await sequentialRead(bench.host, store, newest));
      await store.stop();
      rates.sort((one, other) => one.perSecond - other.perSecond);
      const { perSecond, mibPerSecond, cpuUs } = rates[rates.length >> 1]!;
      bench.tell(
        "tail read",
        perSecond,
        "messages/s",
        `${mibPerSecond.toFixed(0)} MiB/s; CPU ${cpuUs.toFixed(2)} µs each`,
      );
    }),
};
