// What run.mjs and mutants.mjs share: a unified diff applied to a temporary copy of packages/, and the
// simulator bundled from a tree's TypeScript sources (modules resolved in that tree, so that a patched copy
// runs patched).
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export class PatchError extends Error {}

/** Bundles the simulator's command line of `tree` into `outfile`. */
export async function bundle(tree, outfile) {
  const packages = join(tree, "packages");
  await build({
    entryPoints: [join(packages, "simulator", "src/cli/main.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    sourcesContent: false,
    logLevel: "warning",
    nodePaths: [join(root, "node_modules")],
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    plugins: [{ name: "packages-of-this-tree", setup: (setup) => resolveInTree(setup, packages) }],
  });
}

/** `@orbitmq/x/door` means the source that package's own exports name. */
function resolveInTree(setup, packages) {
  setup.onResolve({ filter: /^(@orbitmq\/|orbitmq(\/|$))/ }, ({ path }) => {
    const parts = path.replace(/^@orbitmq\//, "").split("/");
    const folder = join(packages, parts[0]);
    const door = parts.length === 1 ? "." : `./${parts.slice(1).join("/")}`;
    const entry = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).exports?.[door];
    const source = entry?.["orbitmq-source"];
    if (source === undefined) return { errors: [{ text: `${path}: no orbitmq-source in its package.json` }] };
    return { path: join(folder, source) };
  });
}

/**
 * How node runs a bundle. Young objects have room for more than a seed. Who runs many seeds wants no stacks: every
 * error that is an answer would carry one (three in a hundred of the processor's time); a replay has them.
 */
export function nodeFlags(args) {
  const isReplay = args.includes("--seed") || args.includes("--story") || args.includes("--trace");
  return ["--max-semi-space-size=128", ...(isReplay ? ["--enable-source-maps"] : ["--stack-trace-limit=0"])];
}

export function temporaryFolder() {
  return mkdtempSync(join(tmpdir(), "orbitmq-sim-"));
}

/** Copies packages/ (sources only) to `tree` and applies the patch there. Throws PatchError. */
export function patchedTree(tree, patchFile) {
  const skip = new Set(["node_modules", "dist", "testdata", "mutants"]);
  for (const name of readdirSync(join(root, "packages"))) {
    cpSync(join(root, "packages", name), join(tree, "packages", name), {
      recursive: true,
      filter: (path) => !skip.has(path.slice(path.lastIndexOf(sep) + 1)) && !path.endsWith(".tsbuildinfo"),
    });
  }
  cpSync(join(root, "tsconfig.base.json"), join(tree, "tsconfig.base.json"));
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  applyPatch(tree, readFileSync(patchFile, "utf8"), patchFile);
}

/** Applies a unified diff to the files below `tree`. Hunks may have moved, their context must fit exactly. */
export function applyPatch(tree, text, name) {
  let applied = 0;
  for (const { path, isNew, isRemoved, hunks } of parsePatch(text, name)) {
    const file = join(tree, path);
    if (!file.startsWith(tree + sep)) throw new PatchError(`${name}: ${path} is outside the tree`);
    if (isRemoved) {
      rmSync(file);
      applied++;
      continue;
    }
    if (!isNew && !existsSync(file)) throw new PatchError(`${name} does not apply: there is no ${path}`);
    const lines = isNew ? [] : readFileSync(file, "utf8").split("\n");
    let moved = 0;
    for (const hunk of hunks) {
      const at = findHunk(lines, hunk, moved);
      if (at === undefined) {
        throw new PatchError(
          `${name} does not apply: ${path} has no place that fits the hunk at line ${hunk.start}:\n${hunk.before.join("\n")}`,
        );
      }
      lines.splice(at, hunk.before.length, ...hunk.after);
      moved = at + hunk.after.length - (hunk.start - 1 + hunk.before.length);
      applied++;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, lines.join("\n"));
  }
  if (applied === 0) throw new PatchError(`${name} holds no change`);
}

/** The nearest place to where the hunk says it belongs. */
function findHunk(lines, { start, before }, moved) {
  const wanted = start - 1 + moved;
  const fits = (at) =>
    at >= 0 && at + before.length <= lines.length && before.every((line, i) => lines[at + i] === line);
  for (let distance = 0; distance <= lines.length; distance++) {
    if (fits(wanted + distance)) return wanted + distance;
    if (fits(wanted - distance)) return wanted - distance;
  }
  return undefined;
}

function parsePatch(text, name) {
  const files = [];
  let file;
  let hunk;
  let beforeLeft = 0;
  let afterLeft = 0;
  for (const line of text.split("\n")) {
    if (hunk !== undefined && (beforeLeft > 0 || afterLeft > 0)) {
      const kind = line[0] ?? " ";
      const rest = line.slice(1);
      if (kind === "\\") continue;
      if (kind === " " || kind === "-") {
        hunk.before.push(rest);
        beforeLeft--;
      }
      if (kind === " " || kind === "+") {
        hunk.after.push(rest);
        afterLeft--;
      }
      if (!" -+".includes(kind))
        throw new PatchError(`${name}: cannot read the line ${JSON.stringify(line)}`);
      continue;
    }
    const path = () =>
      line
        .slice(4)
        .split("\t")[0]
        .replace(/^[ab]\//, "");
    if (line.startsWith("--- ")) {
      file = {
        oldPath: path(),
        path: "",
        isNew: line.startsWith("--- /dev/null"),
        isRemoved: false,
        hunks: [],
      };
    } else if (line.startsWith("+++ ") && file !== undefined) {
      file.isRemoved = line.startsWith("+++ /dev/null");
      file.path = file.isRemoved ? file.oldPath : path();
      files.push(file);
    } else if (line.startsWith("@@ ")) {
      const match = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(line);
      if (match === null || file === undefined)
        throw new PatchError(`${name}: cannot read the line ${JSON.stringify(line)}`);
      beforeLeft = Number(match[2] ?? 1);
      afterLeft = Number(match[3] ?? 1);
      hunk = { start: Number(match[1]), before: [], after: [] };
      file.hunks.push(hunk);
    }
  }
  if (beforeLeft > 0 || afterLeft > 0) throw new PatchError(`${name} ends in the middle of a hunk`);
  return files;
}
