/**
 * `npm run bench -- timers`: messages for a time beside plain sends of the same run, and what millions of them that wait
 * cost in memory.
 */
import { tmpdir } from "node:os";
import { runKindRounds } from "./kinds/kind-rounds.ts";
import { kindTable, kindVerdict } from "./kinds/kind-table.ts";
import { fillAndLook, pendingVerdict } from "./kinds/pending-memory.ts";
import { commandLine } from "./measure/command-line.ts";
import { describeMachine } from "./measure/machine.ts";
import { benchOptions } from "./options.ts";
import type { FlushDiskType } from "./servers/bench-server.ts";

const USAGE = `[options]

Messages for a time, due in one to two hours, beside plain sends of the same run, 64 in flight: by the pipelined loader
and by our client. Then resident memory of a server that takes --pending of them, beside one that takes as many plain
messages. Status 1 when the rate comes to less than --least of the plain one, or the pending ones add more than
--most-mib.

  --rounds 5 --seconds 5 (of a turn; there are four in a round) --load 64 (in flight, on one connection) --body 128
  --flush SYNC_FLUSH --least 0.5 --pending 5000000 --most-mib 64 --only rate,memory --folder DIR`;

const { values } = benchOptions({
  name: "timers",
  usage: USAGE,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    load: { type: "string", default: "64" },
    body: { type: "string", default: "128" },
    flush: { type: "string", default: "SYNC_FLUSH" },
    least: { type: "string", default: "0.5" },
    pending: { type: "string", default: "5000000" },
    "most-mib": { type: "string", default: "64" },
    only: { type: "string", default: "rate,memory" },
    folder: { type: "string", default: tmpdir() },
  },
});

const said = (line: string): void => console.error(line);
const parts = values.only.split(",");
const { cpu, cores, fileSystem, node, commit } = describeMachine(values.folder);
console.log(
  `\`${commandLine("timers", process.argv.slice(2))}\`: ${cores} × ${cpu}, ${fileSystem}, Node ${node}, ${commit}\n`,
);

if (parts.includes("rate")) {
  const turns = await runKindRounds({
    kind: "timer",
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    inFlight: Number(values.load),
    bodyBytes: Number(values.body),
    flush: values.flush as FlushDiskType,
    folder: values.folder,
    said,
  });
  const verdict = kindVerdict(turns, "timer", Number(values.least));
  console.log([...kindTable(turns), "", ...verdict.lines.map((line) => `- ${line}`), ""].join("\n"));
  if (!verdict.passed) process.exitCode = 1;
}
if (parts.includes("memory")) {
  const options = { folder: values.folder, bodyBytes: Number(values.body) };
  const timers = await fillAndLook("timer", Number(values.pending), options);
  said(`${timers.messages} messages for a time: ${timers.peakMiB.toFixed(1)} MiB at most`);
  const plain = await fillAndLook("plain", Number(values.pending), options);
  const verdict = pendingVerdict(timers, plain, Number(values["most-mib"]));
  console.log(verdict.lines.join("\n"));
  if (!verdict.passed) process.exitCode = 1;
}
