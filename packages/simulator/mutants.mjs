// `npm run mutants`: for each mutants/*.patch, finds the first seed (within 5,000) that fails with the patch and
// passes without it, and records it in mutants/caught.json. `--recorded` re-runs the recorded seeds only; when
// the code has changed so that one catches no more, the search is made again and the new seed is named.
// Names after `--` select patches. Exit code 0 when every mutant is caught, 1 when one is not, 2 when a patch
// does not apply or the arguments are wrong.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { bundle, nodeFlags, PatchError, patchedTree, root, temporaryFolder } from "./tooling.mjs";

const SEEDS = 5_000;
const mutantsFolder = join(dirname(fileURLToPath(import.meta.url)), "mutants");
const recordFile = join(mutantsFolder, "caught.json");
const USAGE = `npm run mutants -- [--recorded] [NAME…]

Looks for a seed that catches each mutant, or those whose file names contain a NAME, and records it.

  --recorded   runs the recorded seeds only, and records nothing`;

function commandArgs() {
  const options = {
    recorded: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  };
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exit(2);
  }
}

const {
  values: { recorded: recordedOnly, help },
  positionals: filters,
} = commandArgs();
if (help) {
  console.log(USAGE);
  process.exit();
}
const recorded = existsSync(recordFile) ? JSON.parse(readFileSync(recordFile, "utf8")) : {};
const folder = temporaryFolder();
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The first seed in [from, to] that fails, with what it broke. */
function firstFailure(program, from, to) {
  const seeds = ["--seeds", `${from}..${to}`, "--json"];
  const { stdout, stderr, status } = spawnSync(process.execPath, [...nodeFlags(seeds), program, ...seeds], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return undefined;
  const first = stdout.split("\n").find((line) => line.startsWith('{"seed"'));
  if (status !== 1 || first === undefined) throw new Error(`the simulator failed: ${stderr}`);
  return JSON.parse(first);
}

/** A seed that fails with the patch and passes without it. */
function findCatch(program, healthy, from, to) {
  for (let next = from; next <= to; ) {
    const failure = firstFailure(program, next, to);
    if (failure === undefined) return undefined;
    const { seed, violations } = failure;
    if (firstFailure(healthy, seed, seed) === undefined) {
      return { seed, invariants: [...new Set(violations.map(({ invariant }) => invariant))].join(", ") };
    }
    console.log(`  seed ${seed} fails without the patch, too`);
    next = seed + 1;
  }
  return undefined;
}

const healthy = join(folder, "healthy.mjs");
await bundle(root, healthy);
let missed = 0;
const patches = readdirSync(mutantsFolder).filter((name) => name.endsWith(".patch"));
for (const name of patches.filter(
  (patch) => filters.length === 0 || filters.some((text) => patch.includes(text)),
)) {
  const tree = join(folder, name);
  const program = join(folder, `${name}.mjs`);
  try {
    patchedTree(tree, join(mutantsFolder, name));
    await bundle(tree, program);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    console.error(error.message);
    console.error(
      `Make the patch again: change the code, then git diff packages/ > packages/simulator/mutants/${name}`,
    );
    process.exit(2);
  }
  const seed = recorded[name]?.seed;
  let caught = recordedOnly && seed !== undefined ? findCatch(program, healthy, seed, seed) : undefined;
  if (caught === undefined) {
    if (recordedOnly) console.log(`${name}: the recorded seed ${seed} does not catch it; searching`);
    caught = findCatch(program, healthy, 1, SEEDS);
    if (recordedOnly && caught !== undefined) console.log("  run npm run mutants and commit caught.json");
  }
  if (caught === undefined) {
    missed++;
    console.log(`${name}: NOT CAUGHT within ${SEEDS} seeds`);
    continue;
  }
  console.log(`${name}: caught by seed ${caught.seed} (${caught.invariants})`);
  recorded[name] = caught;
  // One by one, as a search may be ended before it is through.
  if (!recordedOnly) writeFileSync(recordFile, `${JSON.stringify(recorded, null, 2)}\n`);
}
process.exitCode = missed === 0 ? 0 : 1;
