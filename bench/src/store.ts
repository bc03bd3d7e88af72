/**
 * `npm run bench -- store`: what the store does by itself, each figure beside what the disk does in the same run, and
 * each goal with whether it was reached. All workloads by default; `--list` names them and says how long they take.
 */
import { tmpdir } from "node:os";
import { nodeHost } from "@orbitmq/host/node";
import { benchOptions } from "./options.ts";
import { coldRead, tailRead } from "./store/catch-up.ts";
import { append, groupCommit } from "./store/group-commit.ts";
import { indexQuery } from "./store/index-query.ts";
import { lookups } from "./store/lookups.ts";
import { manyQueues } from "./store/many-queues.ts";
import { recovery } from "./store/recovery.ts";
import { segmentRoll } from "./store/segment-roll.ts";
import { StoreBench, type StoreWorkload } from "./store/workload.ts";

const WORKLOADS: readonly StoreWorkload[] = [
  groupCommit,
  append,
  segmentRoll,
  tailRead,
  coldRead,
  lookups,
  indexQuery,
  recovery,
  manyQueues,
];

const USAGE = `[options]

What the store does by itself, each figure beside what the disk does in the same run, and
each goal with whether it was reached. All workloads by default; --list names them and says how long they take.

  --only group-commit,cold-read --seconds 3 (for appends) --messages 1000000 (at most, for reads) --folder DIR --json`;

const { values } = benchOptions({
  name: "store",
  usage: USAGE,
  options: {
    only: { type: "string" },
    list: { type: "boolean", default: false },
    seconds: { type: "string", default: "3" },
    messages: { type: "string", default: "1000000" },
    folder: { type: "string", default: tmpdir() },
    json: { type: "boolean", default: false },
  },
});

if (values.list) {
  for (const { id, seconds, about } of WORKLOADS)
    console.log(`${id.padEnd(16)} ${`${seconds} s`.padStart(6)}  ${about}`);
  process.exit(0);
}
const ids = values.only?.split(",") ?? WORKLOADS.map(({ id }) => id);
const unknown = ids.find((id) => !WORKLOADS.some((each) => each.id === id));
if (unknown !== undefined) {
  console.error(`there is no workload ${unknown}; there are: ${WORKLOADS.map(({ id }) => id).join(", ")}`);
  process.exit(2);
}
const options = { folder: values.folder, seconds: Number(values.seconds), messages: Number(values.messages) };
const bench = new StoreBench(nodeHost(), options, (line) => {
  if (!values.json) console.log(line);
});
for (const workload of WORKLOADS) {
  if (!ids.includes(workload.id)) continue;
  try {
    await workload.run(bench);
  } catch (error) {
    // The others' figures count all the same.
    console.error(`${workload.id} failed:`, error);
    process.exitCode = 1;
  }
}
if (values.json) console.log(JSON.stringify(bench.figures));
