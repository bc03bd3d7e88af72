// Runs one suite of tests with node's own runner: `node scripts/test.mjs unit|sim|faults|pack|interop [filter…]`.
// Unit tests lie beside the source in packages/; the other suites have folders of their own. Filters are
// substrings of file paths; flags (--test-name-pattern=…) go to node. tsx turns TypeScript into JavaScript at
// load time; nothing needs to be built.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const suites = {
  unit: {
    roots: ["packages", "bench", "scripts", "examples"],
    suffix: /\.(test|fuzz)\.ts$/,
    concurrency: 2,
    skip: /^packages\/(simulator|orbitmq\/pack-tests)\//,
  },
  sim: { roots: ["packages/simulator"], suffix: /\.(test|fuzz)\.ts$/, concurrency: 1 },
  // A failed test may leave clients behind that would keep its process alive.
  faults: { roots: ["faults"], suffix: /\.test\.ts$/, concurrency: 1, flags: ["--test-force-exit"] },
  pack: { roots: ["packages/orbitmq/pack-tests"], suffix: /\.test\.ts$/, concurrency: 1 },
  interop: { roots: ["interop"], suffix: /\.test\.ts$/, concurrency: 1 },
};

const args = process.argv.slice(2);
const flags = args.filter((arg) => arg.startsWith("--"));
const [suiteName = "unit", ...filters] = args.filter((arg) => !arg.startsWith("--"));
const suite = suites[suiteName];
if (suite === undefined) {
  console.error(`unknown suite ${suiteName}; there are: ${Object.keys(suites).join(", ")}`);
  process.exit(2);
}

function* walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!["node_modules", "dist", "testdata"].includes(entry.name)) yield* walk(path);
    } else if (suite.suffix.test(entry.name) && !suite.skip?.test(path)) yield path;
  }
}

const files = suite.roots
  .flatMap((root) => [...walk(root)])
  .filter((path) => filters.length === 0 || filters.some((filter) => path.includes(filter)))
  .sort();
if (files.length === 0) {
  console.error(`no test file matches ${filters.join(" ")}`);
  process.exit(2);
}
const child = spawn(
  process.execPath,
  [
    "--conditions=orbitmq-source",
    "--import",
    "tsx",
    "--test",
    "--test-reporter=spec",
    `--test-concurrency=${suite.concurrency}`,
    ...(suite.flags ?? []),
    ...flags,
    ...files,
  ],
  { stdio: "inherit" },
);
child.on("exit", (code, signal) => process.exit(signal === null ? code : 1));
