/**
 * `npm run bench -- quick COMMIT`: this tree beside another commit of it, in one run of interleaved rounds of at most
 * three minutes. Ends with status 1 when a workload's rate falls under 85 % of the other's; CPU per message, which a
 * noisy machine blurs less, stands beside it.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choose } from "./catalogue.ts";
import { removeAtExit } from "./left-behind.ts";
import { describeMachine } from "./measure/machine.ts";
import { benchOptions } from "./options.ts";
import { compareTrees } from "./report/trees.ts";
import type { Result } from "./results/result.ts";
import { runRounds } from "./rounds.ts";
import { orbitmq } from "./servers/orbitmq.ts";
import { pipelined } from "./workloads/pipelined.ts";

const begin = performance.now();
const WARM_UP_MS = 750;
const THIS = "this tree";
const root = join(import.meta.dirname, "../..");

const USAGE = `COMMIT [options]

This tree beside another commit of it, in one run of interleaved rounds of at most
three minutes. Ends with status 1 when a workload's rate falls under 85 % of the other's; CPU per message, which a
noisy machine blurs less, stands beside it.

  COMMIT       anything git knows; default the newest tag, else HEAD
  --min 0.85 --rounds 5 (fewer where they would not end within --minutes 3) --seconds 2 --loads 1x64,64x16
  --folder DIR`;

const { values, positionals } = benchOptions({
  name: "quick",
  usage: USAGE,
  allowPositionals: true,
  options: {
    min: { type: "string", default: "0.85" },
    rounds: { type: "string", default: "5" },
    minutes: { type: "string", default: "3" },
    seconds: { type: "string", default: "2" },
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

const commit = positionals[0] ?? newestTag();
const name = git("rev-parse", "--short", commit);
const folder = mkdtempSync(join(values.folder, "orbitmq-quick-"));
const remove = removeAtExit(folder);
const tree = join(folder, "tree");
try {
  console.error(`building ${commit} (${name})`);
  const cli = build(commit, tree);
  const workloads = values.loads.split(",").map((shape) => pipelined(shape, 128, WARM_UP_MS));
  const options = {
    contestants: [orbitmq(THIS), orbitmq(name, cli)],
    seconds: Number(values.seconds),
    scale: 1,
    folder: values.folder,
    machine: describeMachine(values.folder),
    command: "npm run bench -- quick",
    said: (line: string) => console.error(line),
    onTurn: () => {},
  };
  const chosen = choose(workloads, undefined);
  let results: Result[] = [];
  let longestMs = 0;
  for (let rounds = 1; rounds <= Number(values.rounds); rounds++) {
    const roundBegin = performance.now();
    if (rounds > 1 && roundBegin - begin + longestMs > Number(values.minutes) * 60_000) break;
    const next: Result[] = [];
    for (const [index, each] of chosen.entries()) {
      next.push(await runRounds(each, { ...options, rounds }, results[index]));
    }
    results = next;
    longestMs = Math.max(longestMs, performance.now() - roundBegin);
  }
  const { lines, passed } = compareTrees(results, THIS, name, Number(values.min));
  for (const line of lines) console.log(line);
  if (!passed) process.exitCode = 1;
} finally {
  if (existsSync(tree)) git("worktree", "remove", "--force", tree);
  remove();
}
