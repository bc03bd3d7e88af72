// Builds what users run and install: packages/client/dist and packages/orbitmq/dist, each a folder that can be
// published as it is (bundles, types, licences and a package.json without anything of the workspace).
//
//   node scripts/build.mjs             bundles and types
//   node scripts/build.mjs --bundles   bundles only (all that `npm start` needs)
//   node scripts/build.mjs --if-stale  bundles only, and only when a source is newer than they are
//
// Bundled, because a server made of some hundred small modules would spend its start-up time on finding them.
// Everything of one package goes through one esbuild call with splitting, so that a class exists once however
// many doors lead to it.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { copyTypes } from "./build/types.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const bundlesOnly = process.argv.includes("--bundles") || process.argv.includes("--if-stale");

const packages = [
  // `internal` is for the workspace's own simulator and is not published.
  {
    folder: "packages/client",
    entries: { index: "packages/client/src/index.ts", internal: "packages/client/src/internal.ts" },
    unpublished: ["internal"],
    // Optional: the application's own copy, if it has one.
    external: ["@opentelemetry/api"],
  },
  {
    folder: "packages/orbitmq",
    entries: { index: "packages/orbitmq/src/index.ts", cli: "packages/orbitmq/src/cli.ts" },
    folders: { monitoring: "docs/monitoring" },
  },
];

/** CommonJS packages `require` Node's modules; in an ES module that has to be an import. */
const builtinsByImport = {
  name: "builtins-by-import",
  setup(build) {
    build.onResolve({ filter: /.*/ }, ({ path, kind }) =>
      kind === "require-call" && isBuiltin(path)
        ? { path: path.replace(/^node:/, ""), namespace: "builtin", sideEffects: false }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: "builtin" }, ({ path }) => ({
      contents: `import builtin from "node:${path}"; module.exports = builtin;`,
    }));
  },
};

function* filesUnder(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesUnder(path);
    else yield path;
  }
}

function isStale() {
  const outputs = packages.flatMap(({ folder, entries }) =>
    Object.keys(entries).map((name) => join(folder, "dist", `${name}.js`)),
  );
  if (!outputs.every((path) => existsSync(path))) return true;
  const oldest = Math.min(...outputs.map((path) => statSync(path).mtimeMs));
  const sources = ["package-lock.json", ...filesUnder("scripts/build"), "scripts/build.mjs"];
  for (const name of readdirSync("packages")) {
    const folder = join("packages", name, "src");
    if (!existsSync(folder)) continue;
    sources.push(join("packages", name, "package.json"));
    for (const path of filesUnder(folder)) if (!/\.(test|fuzz|bench)\.ts$/.test(path)) sources.push(path);
  }
  return sources.some((path) => existsSync(path) && statSync(path).mtimeMs > oldest);
}

/** Writes beside and renames, so that a process starting meanwhile never reads half a file. */
function replaceFile(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, contents);
  renameSync(`${path}.new`, path);
}

/**
 * A quick build leaves young chunks of earlier ones alone: a process that started a moment ago may still load them.
 * A full one, whose result may be published, leaves nothing.
 */
function mayGo(chunk) {
  return !bundlesOnly || statSync(chunk).mtimeMs < Date.now() - 600_000;
}

async function bundle(packaged) {
  const { folder, entries, external = [] } = packaged;
  const { build } = await import("esbuild");
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const outdir = resolve(folder, "dist");
  const result = await build({
    entryPoints: Object.entries(entries).map(([out, source]) => ({ in: source, out })),
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
    format: "esm",
    platform: "node",
    target: "node20.19",
    conditions: ["orbitmq-source"],
    external,
    define: { ORBITMQ_VERSION: JSON.stringify(version) },
    plugins: [builtinsByImport],
    legalComments: "none",
    metafile: true,
    write: false,
    logLevel: "warning",
  });
  // Chunks first, entries last: an entry never names a chunk that is not there yet.
  const outputs = result.outputFiles.sort(
    (a, b) => Number(b.path.includes("chunks")) - Number(a.path.includes("chunks")),
  );
  for (const { path, contents } of outputs) replaceFile(path, contents);
  const chunks = join(outdir, "chunks");
  const wanted = new Set(outputs.map(({ path }) => path));
  if (existsSync(chunks))
    for (const path of filesUnder(chunks)) if (!wanted.has(path) && mayGo(path)) rmSync(path);
  if ("cli" in entries) chmodSync(join(outdir, "cli.js"), 0o755);
  for (const [name, source] of Object.entries(packaged.folders ?? {}))
    for (const path of filesUnder(source))
      replaceFile(join(outdir, name, relative(source, path)), readFileSync(path));
  writeLicences(outdir, Object.keys(result.metafile.inputs));
  writeManifest(packaged, outdir);
}

/** Licences of other people's packages inside the bundle. */
function writeLicences(outdir, inputs) {
  const names = new Set();
  for (const input of inputs) {
    const match = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (match !== null && !input.startsWith("packages/")) names.add(match[1]);
  }
  const texts = [...names].sort().map((name) => {
    const folder = join("node_modules", name);
    const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    if (file === undefined) throw new Error(`${name} has no licence file to ship`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  const path = join(outdir, "THIRD-PARTY-LICENSES.txt");
  if (texts.length === 0) rmSync(path, { force: true });
  else replaceFile(path, texts.join(`\n${"-".repeat(80)}\n\n`));
  for (const name of ["LICENSE", "NOTICE"]) replaceFile(join(outdir, name), readFileSync(name));
}

/** The package.json a user gets: seen from dist/, without source conditions, scripts and workspaces. */
function writeManifest({ folder, entries, unpublished = [], folders = {} }, outdir) {
  const source = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { private: _private, scripts: _scripts, devDependencies: _dev, files: _files, ...manifest } = source;
  for (const door of unpublished) delete manifest.exports[`./${door}`];
  const strip = (value) => {
    if (typeof value === "string") return value.replace(/^\.\/dist\//, "./");
    const entries = Object.entries(value)
      .filter(([key]) => key !== "orbitmq-source")
      .map(([key, inner]) => [key, strip(inner)])
      .filter(([, inner]) => typeof inner === "string" || Object.keys(inner).length > 0);
    return Object.fromEntries(entries);
  };
  for (const key of ["main", "types", "exports"]) if (key in manifest) manifest[key] = strip(manifest[key]);
  const doors = Object.keys(entries).filter((name) => !unpublished.includes(name));
  if ("cli" in entries) manifest.bin = { [manifest.name]: "./cli.js" };
  manifest.files = [
    ...doors.map((name) => `${name}.js`),
    "chunks",
    "types",
    ...Object.keys(folders),
    "*.txt",
    "NOTICE",
  ];
  replaceFile(join(outdir, "package.json"), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const readme = existsSync(join(folder, "README.md")) ? join(folder, "README.md") : "README.md";
  if (existsSync(readme)) replaceFile(join(outdir, "README.md"), readFileSync(readme));
}

if (process.argv.includes("--if-stale") && !isStale()) process.exit(0);
await Promise.all(packages.map(bundle));
if (!bundlesOnly) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-b", ...packages.map(({ folder }) => folder)], { stdio: "inherit" });
  for (const { folder, entries, unpublished = [] } of packages) {
    const doors = Object.entries(entries).filter(([name]) => name !== "cli" && !unpublished.includes(name));
    copyTypes(
      folder,
      doors.map(([, source]) => source),
    );
  }
}
for (const { folder } of packages) console.error(`built ${relative(root, join(folder, "dist"))}`);
