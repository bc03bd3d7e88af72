/**
 * `npm run bench -- compare`: OrbitMQ beside the real RocketMQ 5.5.0 and the null broker on this machine, in
 * interleaved rounds. Each workload's figures lie in `--out` as JSON as soon as they are measured; at the end a
 * Markdown page, also printed, and plots are made of them.
 */
import { tmpdir } from "node:os";
import { type Chosen, catalogue, choose, hasGoal } from "./catalogue.ts";
import { commandLine } from "./measure/command-line.ts";
import { describeMachine } from "./measure/machine.ts";
import { touchMemory } from "./measure/touch-memory.ts";
import { benchOptions } from "./options.ts";
import { leaveReport } from "./report/write-report.ts";
import { readResult, writeResult } from "./results/result-files.ts";
import { runRounds } from "./rounds.ts";
import type { Contestant } from "./servers/bench-server.ts";
import { java } from "./servers/java.ts";
import { nullBroker } from "./servers/null.ts";
import { orbitmq } from "./servers/orbitmq.ts";

const servers: Readonly<Record<string, Contestant>> = { orbitmq: orbitmq(), java, null: nullBroker };

const args = process.argv.slice(2);
const USAGE = `[options]

OrbitMQ beside the real RocketMQ 5.5.0 and the null broker on this machine, in
interleaved rounds. Each workload's figures lie in --out as JSON as soon as they are measured; at the end a
Markdown page, also printed, and plots are made of them.

  --list       names of the workloads
  --only       some of them: pipelined-1x64-128-sync,producer-*; default all
  --goals      those of them that are held against a goal
  --servers    orbitmq,java,null
  --rounds 5 --seconds 8 (of a workload that goes by time) --scale 1 (times numbers of messages)
  --folder DIR (stores) --out bench-results --resume (leaves out what is there) --no-touch
  --minutes N  begins no further workload after that; --resume goes on with it another day`;

const { values } = benchOptions({
  name: "compare",
  usage: USAGE,
  options: {
    list: { type: "boolean", default: false },
    only: { type: "string" },
    goals: { type: "boolean", default: false },
    servers: { type: "string", default: "orbitmq,java,null" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "8" },
    scale: { type: "string", default: "1" },
    folder: { type: "string", default: tmpdir() },
    out: { type: "string", default: "bench-results" },
    resume: { type: "boolean", default: false },
    minutes: { type: "string", default: "Infinity" },
    "no-touch": { type: "boolean", default: false },
  },
});

const chosen = choose(catalogue, values.only).filter((each) => !values.goals || hasGoal(each));

function contestants(): Contestant[] {
  return values.servers.split(",").map((name) => {
    const found = servers[name];
    if (found === undefined) throw new Error(`there is no server ${name}; there are ${Object.keys(servers)}`);
    return found;
  });
}

async function compare(): Promise<void> {
  if (!values["no-touch"]) console.error(`used ${touchMemory(values.folder)} MiB of memory once`);
  const options = {
    contestants: contestants(),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    scale: Number(values.scale),
    folder: values.folder,
    machine: describeMachine(values.folder),
    command: commandLine("compare", args),
    said: (line: string) => console.error(line),
    onTurn: (result: Parameters<typeof writeResult>[1]) => writeResult(values.out, result),
  };
  const results = [];
  const endMs = performance.now() + Number(values.minutes) * 60_000;
  for (const [index, each] of chosen.entries()) {
    if (performance.now() > endMs) {
      console.error(`not measured for want of time: ${chosen.slice(index).map(({ name }) => name)}`);
      break;
    }
    console.error(`${new Date().toISOString()} ${index + 1} of ${chosen.length}: ${each.name}`);
    results.push(await runRounds(each, options, values.resume ? resumable(each) : undefined));
  }
  console.log(leaveReport(values.out, results));
}

/** Only of the same commit: figures of two are not put together. */
function resumable({ name }: Chosen): ReturnType<typeof readResult> {
  const found = readResult(values.out, name);
  if (found === undefined) return undefined;
  const isSame = found.machine.commit === describeMachine(values.folder).commit;
  if (!isSame) console.error(`${name} was measured at ${found.machine.commit}: it is measured anew`);
  return isSame ? found : undefined;
}

if (values.list) {
  for (const { name, workload } of chosen) console.log(`${name.padEnd(32)} ${workload.title}`);
} else await compare();
