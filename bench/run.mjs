// `npm run bench -- COMMAND [options]`: builds what is stale, then runs one measurement. The load itself comes
// from a process of its own, src/loader.ts.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const measurements = {
  /** Acknowledged sends per second beside the raw disk. */
  send: "src/send.ts",
  /** OrbitMQ, RocketMQ and a broker that only answers, in interleaved rounds. */
  compare: "src/compare.ts",
  /** This tree beside another commit of it; fails when it is slower. */
  quick: "src/quick.ts",
  /** Appends, reads, lookups and recovery of the store by itself. */
  store: "src/store.ts",
  /** Resident memory over minutes. */
  memory: "src/memory.ts",
  /** Where the time of the event loop goes under workloads of compare. */
  profile: "src/profile.ts",
  /** Results of compare and memory as one page, or into docs/performance.md. */
  report: "src/report.ts",
  /** Committed transactions beside plain sends, and what survives a crash at each point. */
  transactions: "src/transactions.ts",
  /** Messages for a time beside plain sends, and the memory of those that wait. */
  timers: "src/timers.ts",
  /** Launch to first acknowledgement. */
  start: "src/start.ts",
};

const [command = "send", ...options] = process.argv.slice(2);
if (command === "--help") {
  console.log("npm run bench -- MEASUREMENT [options]; each tells its options for --help:");
  console.log(Object.keys(measurements).join(", "));
  process.exit(0);
}
const script = measurements[command];
if (script === undefined) {
  console.error(`there is no measurement ${command}; there are: ${Object.keys(measurements).join(", ")}`);
  process.exit(2);
}
const run = (args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};
if (!options.includes("--help")) run([join(import.meta.dirname, "../scripts/build.mjs"), "--if-stale"]);
run(["--conditions=orbitmq-source", "--import", "tsx", join(import.meta.dirname, script), ...options]);
