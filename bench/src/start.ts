/**
 * `npm run bench -- start`: how long from launch to the first acknowledgement, on an empty store, as a client
 * sees it: the process is started, and when its ready line comes one raw send is made and answered.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServerProcess } from "orbitmq/testing";
import { sendOnce } from "./load/send-once.ts";
import { benchOptions } from "./options.ts";

const USAGE = `[options]

How long from launch to the first acknowledgement, on an empty store, as a client
sees it: the process is started, and when its ready line comes one raw send is made and answered.

  --rounds 11 --folder DIR`;

const { values } = benchOptions({
  name: "start",
  usage: USAGE,
  options: { rounds: { type: "string", default: "11" }, folder: { type: "string", default: tmpdir() } },
});

interface Round {
  readonly readyMs: number;
  readonly acknowledgedMs: number;
}

async function round(): Promise<Round> {
  const home = mkdtempSync(join(values.folder, "orbitmq-bench-"));
  try {
    const begin = performance.now();
    const server = await startServerProcess({ home, options: ["--log-level", "warn"] });
    const [host = "", port = ""] = server.brokerAddr.split(":");
    const code = await sendOnce(host, Number(port), "Bench");
    const acknowledgedMs = performance.now() - begin;
    await server.stop();
    if (code !== 0) throw new Error(`the first send was answered with ${code}`);
    return { readyMs: server.readyMs, acknowledgedMs };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const rounds: Round[] = [];
for (let index = 0; index < Number(values.rounds); index++) rounds.push(await round());

function range(pick: (round: Round) => number): string {
  const sorted = rounds.map(pick).sort((a, b) => a - b);
  const [first = 0, middle = 0, last = 0] = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)];
  return `median ${middle.toFixed(0)} ms (${first.toFixed(0)} to ${last.toFixed(0)})`;
}
console.log(`${rounds.length} starts on an empty store, node ${process.version}`);
console.log(`launch to ready line:            ${range((round) => round.readyMs)}`);
console.log(`launch to first acknowledgement: ${range((round) => round.acknowledgedMs)}`);
