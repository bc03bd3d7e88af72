// Loaded with --import into a server that is measured: how long its event loop did not come round. On SIGUSR2 writes
// what it has seen since the last time as one line of JSON to $BENCH_STALL_FILE, milliseconds, and begins anew. What a
// timer of 1 ms sees includes that millisecond, which is taken off.
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 1;
const file = process.env.BENCH_STALL_FILE;
if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const ms = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  delay.enable();
  process.on("SIGUSR2", () => {
    const stalls = {
      p99Ms: ms(delay.percentile(99)),
      p999Ms: ms(delay.percentile(99.9)),
      maxMs: ms(delay.max),
    };
    delay.reset();
    writeFileSync(`${file}.tmp`, JSON.stringify(stalls));
    renameSync(`${file}.tmp`, file);
  });
}
