/**
 * `npm run bench -- compare`: OrbitMQ beside the real RocketMQ 5.5.0 and the null broker on this machine, in
 * interleaved rounds. Prints a Markdown page and leaves it with JSON and plots in `--out`.
 *
 *   --workloads  ids, comma separated; default: all (--list names them)
 *   --servers    orbitmq,java,null
 *   --flush      SYNC_FLUSH,ASYNC_FLUSH
 *   --rounds 5 --seconds 8 --folder DIR (stores) --out bench-results --no-touch
 */
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { describeMachine } from "./measure/machine.ts";
import { touchMemory } from "./measure/touch-memory.ts";
import { judge, summarize } from "./report/summary.ts";
import { writeReport } from "./report/write-report.ts";
import { runRounds } from "./rounds.ts";
import type { FlushDiskType, StartBenchServer } from "./servers/bench-server.ts";
import { java } from "./servers/java.ts";
import { nullBroker } from "./servers/null.ts";
import { orbitmq } from "./servers/orbitmq.ts";
import { catchUp } from "./workloads/catch-up.ts";
import { javaBatchProducer, javaProducer } from "./workloads/java-producer.ts";
import { pipelined } from "./workloads/pipelined.ts";
import type { Workload } from "./workloads/workload.ts";

const workloads: readonly Workload[] = [
  ...[128, 1024].flatMap((bytes) => ["1x1", "1x64", "64x16"].map((shape) => pipelined(shape, bytes))),
  ...[1, 16, 64].flatMap((threads) => [128, 1024].map((bytes) => javaProducer(threads, bytes, false))),
  javaProducer(64, 128, true),
  javaProducer(64, 1024, true),
  javaBatchProducer(16, 32),
  ...[false, true].flatMap((isCold) => [catchUp(5_000_000, 128, isCold), catchUp(1_000_000, 1024, isCold)]),
  catchUp(200_000, 128, false),
];
const servers: Readonly<Record<string, StartBenchServer>> = { orbitmq: orbitmq(), java, null: nullBroker };

const args = process.argv.slice(2);
const { values } = parseArgs({
  args,
  options: {
    workloads: { type: "string" },
    servers: { type: "string", default: "orbitmq,java,null" },
    flush: { type: "string", default: "SYNC_FLUSH,ASYNC_FLUSH" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "8" },
    folder: { type: "string", default: tmpdir() },
    out: { type: "string", default: "bench-results" },
    "no-touch": { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

function chosen<T>(what: string, names: string, table: (name: string) => T | undefined): T[] {
  return names.split(",").map((name) => {
    const found = table(name);
    if (found === undefined) throw new Error(`there is no ${what} ${name}`);
    return found;
  });
}

if (values.list) {
  for (const { id, title } of workloads) console.log(`${id.padEnd(28)} ${title}`);
} else {
  const wanted =
    values.workloads === undefined
      ? workloads
      : chosen("workload", values.workloads, (name) => workloads.find(({ id }) => id === name));
  if (!values["no-touch"]) console.error(`used ${touchMemory(values.folder)} MiB of memory once`);
  const turns = await runRounds({
    workloads: wanted,
    flushes: values.flush.split(",") as FlushDiskType[],
    servers: chosen("server", values.servers, (name) => servers[name]),
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    folder: values.folder,
    said: (line) => console.error(line),
  });
  const summaries = summarize(turns, wanted);
  const report = {
    machine: describeMachine(values.folder),
    command: ["npm run bench -- compare", ...args].join(" "),
    about: Object.fromEntries(turns.map(({ server, about }) => [server, about])),
    summaries,
    verdicts: judge(summaries, wanted, "OrbitMQ", "RocketMQ 5.5.0", "null broker"),
  };
  console.log(writeReport(values.out, report, turns));
}
