/**
 * `npm run bench -- send`: how many acknowledged sends per second the shipped server takes, and how long each
 * waits. For each flush mode and each number in flight a fresh server on an empty store is loaded by a loader
 * process, for `--seconds` and until `--messages` were acknowledged; beside each row stands the raw
 * write+fdatasync rate of the same disk, measured just before it, and what a message costs the server's CPU: of all
 * its threads and of the main one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServerProcess } from "orbitmq/testing";
import type { LoaderResult } from "./load/loader.ts";
import { runLoader } from "./load/run-loader.ts";
import { memoryOf } from "./measure/process-cpu.ts";
import { rawSyncRate } from "./measure/raw-sync.ts";
import { benchOptions } from "./options.ts";

const USAGE = `[options]

How many acknowledged sends per second the shipped server takes, and how long each
waits. For each flush mode and each number in flight a fresh server on an empty store is loaded by a loader
process, for --seconds and until --messages were acknowledged; beside each row stands the raw
write+fdatasync rate of the same disk, measured just before it, and what a message costs the server's CPU: of all
its threads and of the main one.

  --seconds 8 (of a row) --messages 0 (at least, of a row) --body 128 (bytes)
  --load 1x1,1x64,64x16 (connections x in flight) --flush SYNC_FLUSH,ASYNC_FLUSH --folder DIR --json`;

const { values } = benchOptions({
  name: "send",
  usage: USAGE,
  options: {
    seconds: { type: "string", default: "8" },
    body: { type: "string", default: "128" },
    flush: { type: "string", default: "SYNC_FLUSH,ASYNC_FLUSH" },
    load: { type: "string", default: "1x1,1x64,64x16" },
    folder: { type: "string", default: tmpdir() },
    messages: { type: "string", default: "0" },
    json: { type: "boolean", default: false },
  },
});

interface Row extends LoaderResult {
  readonly flush: string;
  readonly load: string;
  readonly rawSyncPerSecond: number;
  readonly readyMs: number;
  readonly serverRssMiB: number;
}

async function measure(flush: string, shape: string): Promise<Row> {
  const [connections = 1, inFlight = 1] = shape.split("x").map(Number);
  const home = mkdtempSync(join(values.folder, "orbitmq-bench-"));
  try {
    const rawSyncPerSecond = rawSyncRate(home, 1500);
    const server = await startServerProcess({
      home,
      options: ["--log-level", "warn", "-o", `flushDiskType=${flush}`],
    });
    const [host = "", port = ""] = server.brokerAddr.split(":");
    const result = await runLoader({
      host,
      port: Number(port),
      topics: ["Bench"],
      queues: 4,
      bodyBytes: Number(values.body),
      connections,
      inFlight,
      warmUpMs: 2000,
      durationMs: Number(values.seconds) * 1000,
      messagesMin: Number(values.messages),
      serverPids: [server.pid],
    });
    const row = {
      ...result,
      flush,
      load: shape,
      rawSyncPerSecond,
      readyMs: server.readyMs,
      serverRssMiB: memoryOf([server.pid]).rssMiB,
    };
    await server.stop();
    return row;
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const rows: Row[] = [];
if (!values.json) {
  console.log(`${values.body} B bodies, ${values.seconds} s a row, node ${process.version}`);
  console.log(
    "flush        load    acked/s   p50 ms  p99 ms  p99.9 ms  refused  raw sync/s  ready ms  RSS MiB  loader CPU  µs CPU  µs main",
  );
}
for (const flush of values.flush.split(",")) {
  for (const shape of values.load.split(",")) {
    const row = await measure(flush, shape);
    rows.push(row);
    if (values.json) continue;
    const cells = [
      flush.padEnd(11),
      shape.padEnd(6),
      Math.round(row.perSecond).toLocaleString("en").padStart(8),
      row.p50Ms.toFixed(2).padStart(7),
      row.p99Ms.toFixed(2).padStart(7),
      row.p999Ms.toFixed(2).padStart(8),
      String(row.refused).padStart(8),
      Math.round(row.rawSyncPerSecond).toLocaleString("en").padStart(10),
      row.readyMs.toFixed(0).padStart(9),
      row.serverRssMiB.toFixed(0).padStart(8),
      `${((row.cpuSeconds * row.perSecond * 100) / row.acknowledged).toFixed(0)} %`.padStart(10),
      row.serverCpuUs.toFixed(2).padStart(6),
      row.serverThreadUs.toFixed(2).padStart(7),
    ];
    console.log(cells.join("  "));
    if (row.refused > 0) console.log(`  first refusal: response code ${row.firstRefusal}`);
  }
}
if (values.json) console.log(JSON.stringify(rows));
