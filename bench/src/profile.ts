/**
 * `npm run bench -- profile`: where the time of OrbitMQ's event loop goes under workloads of `compare`, and where the
 * null broker's does beside it. V8's profiler runs in the server for as long as the workload measures, and only in this
 * command: it slows the loop, so that rates are compare's to tell.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { catalogue, choose } from "./catalogue.ts";
import { commandLine } from "./measure/command-line.ts";
import { describeMachine } from "./measure/machine.ts";
import { PROFILING } from "./measure/server-watch.ts";
import { benchOptions } from "./options.ts";
import { type ProfiledLoad, profileTables } from "./profiles/profile-table.ts";
import { profiledTurn } from "./profiles/profiled-turn.ts";
import { fillSection } from "./report/sections.ts";
import { nullBroker } from "./servers/null.ts";
import { orbitmq } from "./servers/orbitmq.ts";

const args = process.argv.slice(2);
const ONLY = [
  "pipelined-1x64-128-sync",
  "pipelined-64x16-128",
  "producer-sync-1-128-sync",
  "producer-sync-64-128-sync",
  "batch-producer-16-32-async",
  "catch-up-128",
].join(",");
const USAGE = `[options]

Where the time of OrbitMQ's event loop goes under workloads of compare, and where the null
broker's does beside it: V8's profile of the stretch that a workload measures, told apart into parts.

  --only       names of workloads as compare has them; default
               ${ONLY.replaceAll(",", "\n               ")}
  --seconds 8 (of a workload that goes by time) --scale 1 (times numbers of messages)
  --docs (write the tables into docs/performance.md)
  --folder DIR (stores) --out bench-results (profiles for a closer look, in its folder profiles)`;

const { values } = benchOptions({
  name: "profile",
  usage: USAGE,
  options: {
    only: { type: "string", default: ONLY },
    seconds: { type: "string", default: "8" },
    scale: { type: "string", default: "1" },
    docs: { type: "boolean", default: false },
    folder: { type: "string", default: tmpdir() },
    out: { type: "string", default: "bench-results" },
  },
});

process.env[PROFILING] = "yes";
const options = {
  seconds: Number(values.seconds),
  scale: Number(values.scale),
  folder: values.folder,
  kept: join(values.out, "profiles"),
};
const loads: ProfiledLoad[] = [];
const answered = new Set<string>();
for (const chosen of choose(catalogue, values.only)) {
  const { workload, name } = chosen;
  if (!workload.servers.includes("orbitmq")) continue;
  console.error(name);
  loads.push(...(await profiledTurn(orbitmq(), chosen, options)));
  // To the null broker both flush modes are the same.
  if (!workload.servers.includes("null") || answered.has(workload.id)) continue;
  answered.add(workload.id);
  loads.push(...(await profiledTurn(nullBroker, chosen, options)));
}

const { cpu, cores, fileSystem, node, commit } = describeMachine(values.folder);
const repeated = commandLine(
  "profile",
  args.filter((arg) => arg !== "--docs"),
);
const content = [
  `\`${repeated}\`: ${cores} × ${cpu}, ${fileSystem}, Node ${node}, ${commit}`,
  "",
  ...profileTables(loads),
].join("\n");
console.log(content);
if (values.docs) {
  const path = join(import.meta.dirname, "../../docs/performance.md");
  writeFileSync(path, fillSection(readFileSync(path, "utf8"), "profile", `\n${content}\n`));
}
