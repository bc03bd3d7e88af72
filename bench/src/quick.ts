/**
 * `npm run bench -- quick COMMIT`: this tree beside another commit of it, in one run of interleaved rounds, in three
 * minutes. Ends with status 1 when a workload's median rate falls under 85 % of the other's; CPU per message, which a
 * noisy machine blurs less, stands beside it and counts as well: both have to be worse.
 *
 *   COMMIT       anything git knows; default the newest tag, else HEAD
 *   --rounds 3 --seconds 3 --folder DIR --loads 1x64,64x16
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Summary, summarize } from "./report/summary.ts";
import { runRounds } from "./rounds.ts";
import { orbitmq } from "./servers/orbitmq.ts";
import { pipelined } from "./workloads/pipelined.ts";

const SHARE_LEAST = 0.85;
const root = join(import.meta.dirname, "../..");

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    loads: { type: "string", default: "1x64,64x16" },
    folder: { type: "string", default: tmpdir() },
  },
});

function git(...args: string[]): string {
  return execFileSync("git", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();
}

function newestTag(): string {
  try {
    return git("describe", "--tags", "--abbrev=0");
  } catch (error) {
    console.error(`no tag to compare with, HEAD it is (${(error as Error).message.split("\n")[0]})`);
    return "HEAD";
  }
}

/** A tree of its own, built; its dependencies are copied, because links among the workspaces lead within a tree. */
function build(commit: string, folder: string): string {
  git("worktree", "add", "--detach", folder, commit);
  cpSync(join(root, "node_modules"), join(folder, "node_modules"), {
    recursive: true,
    verbatimSymlinks: true,
  });
  execFileSync(process.execPath, [join(folder, "scripts/build.mjs"), "--bundles"], { cwd: folder });
  const cli = join(folder, "packages/orbitmq/dist/cli.js");
  if (!existsSync(cli)) throw new Error(`${commit} builds no command`);
  return cli;
}

function compare(summaries: readonly Summary[], other: string): boolean {
  let passed = true;
  for (const mine of summaries.filter(({ server }) => server === "this tree")) {
    const theirs = summaries.find(
      ({ server, workload, flush }) => server === other && workload === mine.workload && flush === mine.flush,
    );
    if (theirs === undefined) continue;
    const rate = mine.perSecond.median / theirs.perSecond.median;
    const cpu = theirs.serverThreadUs.least / mine.serverThreadUs.least;
    const isSlower = rate < SHARE_LEAST && cpu < SHARE_LEAST;
    passed &&= !isSlower;
    console.log(
      `${mine.flush.padEnd(11)} ${mine.title.padEnd(32)} ` +
        `${per(mine.perSecond.median)}/s against ${per(theirs.perSecond.median)}/s: ${percent(rate)}; ` +
        `CPU ${mine.serverThreadUs.least.toFixed(2)} against ${theirs.serverThreadUs.least.toFixed(2)} µs: ${percent(cpu)}` +
        `${isSlower ? "  SLOWER" : ""}`,
    );
  }
  return passed;
}

const per = (rate: number): string => Math.round(rate).toLocaleString("en").padStart(8);
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

const commit = positionals[0] ?? newestTag();
const name = git("rev-parse", "--short", commit);
const folder = mkdtempSync(join(values.folder, "orbitmq-quick-"));
const tree = join(folder, "tree");
try {
  console.error(`building ${commit} (${name})`);
  const cli = build(commit, tree);
  const workloads = values.loads.split(",").map((shape) => pipelined(shape, 128));
  const turns = await runRounds({
    workloads,
    flushes: ["SYNC_FLUSH", "ASYNC_FLUSH"],
    servers: [orbitmq("this tree"), orbitmq(name, cli)],
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    folder: values.folder,
    said: (line) => console.error(line),
  });
  if (!compare(summarize(turns, workloads), name)) process.exitCode = 1;
} finally {
  execFileSync("git", ["worktree", "remove", "--force", tree], { cwd: root });
  rmSync(folder, { recursive: true, force: true });
}
