/**
 * `npm run bench -- transactions`: committed transactions beside plain sends of the same run, and what a transaction
 * keeps beside a send with retries when producer or broker is killed. `--docs` writes both tables into
 * docs/transactions.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crashTable } from "./crashes/crash-plan.ts";
import { runCrashes } from "./crashes/crash-runs.ts";
import { runKindRounds } from "./kinds/kind-rounds.ts";
import { kindTable, kindVerdict } from "./kinds/kind-table.ts";
import { commandLine } from "./measure/command-line.ts";
import { describeMachine } from "./measure/machine.ts";
import { benchOptions } from "./options.ts";
import { fillSection } from "./report/sections.ts";
import type { FlushDiskType } from "./servers/bench-server.ts";

const args = process.argv.slice(2);
const USAGE = `[options]

Committed transactions beside plain sends of the same run, 64 in flight: by the pipelined loader, which counts a
transaction when its commit was answered and thus durable, and by our client, which tells the end oneway as RocketMQ's
clients do. Then what a transaction, and a local commit followed by a send with retries, lose, repeat or tell untruly
when producer or broker is killed by kill -9 at each point: really run, against a broker process. Status 1 when
transactions come to less than --least of the plain sends, or a transaction loses a message or tells one untruly.

  --rounds 5 --seconds 5 (of a turn; there are four in a round) --load 64 (in flight, on one connection) --body 128
  --flush SYNC_FLUSH --least 0.4 --messages 100 (of each crash) --only rate,crashes
  --docs (write the tables into docs/transactions.md) --folder DIR`;

const { values } = benchOptions({
  name: "transactions",
  usage: USAGE,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    load: { type: "string", default: "64" },
    body: { type: "string", default: "128" },
    flush: { type: "string", default: "SYNC_FLUSH" },
    least: { type: "string", default: "0.4" },
    messages: { type: "string", default: "100" },
    only: { type: "string", default: "rate,crashes" },
    docs: { type: "boolean", default: false },
    folder: { type: "string", default: tmpdir() },
  },
});

const said = (line: string): void => console.error(line);
const parts = values.only.split(",");
const sections: Record<string, readonly string[]> = {};
let passed = true;

if (parts.includes("rate")) {
  const turns = await runKindRounds({
    kind: "transaction",
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    inFlight: Number(values.load),
    bodyBytes: Number(values.body),
    flush: values.flush as FlushDiskType,
    folder: values.folder,
    said,
  });
  const verdict = kindVerdict(turns, "transaction", Number(values.least));
  const { cpu, cores, fileSystem, node, commit } = describeMachine(values.folder);
  passed &&= verdict.passed;
  sections["rate"] = [
    `\`${commandLine(
      "transactions",
      args.filter((arg) => arg !== "--docs"),
    )}\`: ${values.rounds} rounds of ${values.seconds} s, ` +
      `${values.load} in flight, ${values.body} B, ${values.flush}; ${cores} × ${cpu}, ${fileSystem}, Node ${node}, ${commit}`,
    "",
    ...kindTable(turns),
    "",
    ...verdict.lines.map((line) => `- ${line}`),
  ];
}
if (parts.includes("crashes")) {
  const outcomes = await runCrashes({ messages: Number(values.messages), folder: values.folder, said });
  const failed = outcomes.some(({ way, lost, untrue }) => way === "transaction" && lost + untrue > 0);
  if (failed) passed = false;
  sections["crashes"] = [
    ...crashTable(outcomes),
    "",
    `- a transaction loses nothing and tells nothing untrue: ${failed ? "falls short" : "pass"}`,
  ];
}
for (const lines of Object.values(sections)) console.log(`${lines.join("\n")}\n`);
if (values.docs) {
  const path = join(import.meta.dirname, "../../docs/transactions.md");
  let page = readFileSync(path, "utf8");
  for (const [name, lines] of Object.entries(sections))
    page = fillSection(page, name, `\n${lines.join("\n")}\n`);
  writeFileSync(path, page);
}
if (!passed) process.exitCode = 1;
