/**
 * `npm run bench -- memory`: whether OrbitMQ's memory stays flat: a fixed rate of 128 B messages, sent and consumed,
 * for `--minutes`, resident memory looked at every ten seconds. What is seen in the first fifth is its growing up and
 * does not count; after it no sample may be further than 5 % from the median. Status 1 when one is. Leaves a result
 * for `bench -- report` and a plot in `--out`.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeAtExit } from "./left-behind.ts";
import { startLoader } from "./load/run-loader.ts";
import { startProcess } from "./load/run-process.ts";
import { commandLine } from "./measure/command-line.ts";
import { flatness } from "./measure/flatness.ts";
import { describeMachine } from "./measure/machine.ts";
import { memoryOf } from "./measure/process-cpu.ts";
import { rawSyncRate } from "./measure/raw-sync.ts";
import { awaitStored } from "./measure/stored-messages.ts";
import { benchOptions } from "./options.ts";
import { lineSvg } from "./report/line-svg.ts";
import { OURS } from "./results/goal.ts";
import { RESULT_FORMAT, type Result } from "./results/result.ts";
import { writeResult } from "./results/result-files.ts";
import type { FlushDiskType } from "./servers/bench-server.ts";
import { orbitmq } from "./servers/orbitmq.ts";
import { loaderMetrics, placeOf, someTopics } from "./workloads/load.ts";

const args = process.argv.slice(2);
const USAGE = `[options]

Whether OrbitMQ's memory stays flat: a fixed rate of 128 B messages, sent and consumed,
for --minutes, resident memory looked at every ten seconds. What is seen in the first fifth is its growing up and
does not count; after it no sample may be further than 5 % from the median. Status 1 when one is. Leaves a result
for bench -- report and a plot in --out.

  --minutes 30 --rate 10000 --flush SYNC_FLUSH --folder DIR --out bench-results`;

const { values } = benchOptions({
  name: "memory",
  usage: USAGE,
  options: {
    minutes: { type: "string", default: "30" },
    rate: { type: "string", default: "10000" },
    flush: { type: "string", default: "SYNC_FLUSH" },
    folder: { type: "string", default: tmpdir() },
    out: { type: "string", default: "bench-results" },
  },
});

const LOOK_MS = 10_000;
const RAW_SYNC_MS = 1_000;
const QUEUES = 4;
const BODY_BYTES = 128;
const DEVIATION_MOST = 0.05;
const minutes = Number(values.minutes);
const ratePerSecond = Number(values.rate);
const flush = values.flush as FlushDiskType;
const folder = mkdtempSync(join(values.folder, "orbitmq-bench-"));
const remove = removeAtExit(folder);

try {
  const rawSyncPerSecond = rawSyncRate(folder, RAW_SYNC_MS);
  const server = await orbitmq().start({ flush, folder });
  const startedAt = new Date().toISOString();
  try {
    const topics = await someTopics(server, 1, QUEUES, "Flat");
    const place = { ...placeOf(server.brokerAddr), topics, queues: QUEUES };
    const puller = startProcess("puller.ts", { ...place, follows: true, serverPids: server.pids });
    const loader = startLoader({
      ...place,
      bodyBytes: BODY_BYTES,
      connections: 4,
      inFlight: 64,
      ratePerSecond,
      warmUpMs: 0,
      durationMs: minutes * 60_000,
      serverPids: server.pids,
    });
    const samples: number[] = [];
    const looking = setInterval(
      () => samples.push(memoryOf(server.pids).rssMiB),
      Math.min(LOOK_MS, minutes * 1_000),
    );
    const result = await loader.result().finally(() => clearInterval(looking));
    const metrics = { ...loaderMetrics(result, server), ...flatness(samples) };
    await awaitStored(server.brokerAddr, { topics, queues: QUEUES, atLeast: result.acknowledgedInTotal });
    puller.tell();
    await puller.result();
    const written: Result = {
      format: RESULT_FORMAT,
      name: `memory-flat-${flush === "SYNC_FLUSH" ? "sync" : "async"}`,
      title: `memory over ${minutes} minutes at ${ratePerSecond.toLocaleString("en")} messages/s, sent and consumed`,
      flush,
      goals: [{ metric: "flatness", atMost: DEVIATION_MOST }],
      roundsWanted: 1,
      seconds: minutes * 60,
      scale: minutes / 30,
      command: commandLine("memory", args),
      startedAt,
      machine: describeMachine(values.folder),
      about: { [OURS]: server.about },
      discarded: [],
      turns: [{ round: 1, server: OURS, who: OURS, rawSyncPerSecond, metrics }],
    };
    writeResult(values.out, written);
    mkdirSync(values.out, { recursive: true });
    const title = `Resident memory over ${minutes} minutes at ${ratePerSecond.toLocaleString("en")} messages/s`;
    writeFileSync(join(values.out, "memory.svg"), lineSvg({ title, unit: "MiB", values: samples }));
    const { least, median, most } = metrics.samples;
    const verdict = metrics.flatness <= DEVIATION_MOST ? "pass" : "falls short";
    console.log(
      `${result.acknowledgedInTotal.toLocaleString("en")} messages in ${minutes} minutes; ` +
        `RSS ${least.toFixed(0)} to ${most.toFixed(0)} MiB, median ${median.toFixed(0)}; ` +
        `furthest from the median ${(metrics.flatness * 100).toFixed(1)} %: ${verdict}`,
    );
    if (metrics.flatness > DEVIATION_MOST) process.exitCode = 1;
  } finally {
    await server.stop("kill");
  }
} finally {
  remove();
}
