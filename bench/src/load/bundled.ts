/**
 * The scripts that make load, put together by esbuild as the product is: run from their sources through a loader that
 * keeps the names of functions, they and our client in them would cost a tenth more than what is shipped.
 */
import { mkdirSync, mkdtempSync } from "node:fs";
import { basename, join } from "node:path";
import { buildSync } from "esbuild";
import { removeAtExit } from "../left-behind.ts";

const builds = join(import.meta.dirname, "../../dist");
/** CommonJS packages in the bundle ask for Node's modules by it. */
const banner = {
  js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
};

let folder: string | undefined;
const done = new Map<string, string>();

/** Returns the file to run. `path` is the script's source; built once in this process. */
export function bundled(path: string): string {
  const found = done.get(path);
  if (found !== undefined) return found;
  if (folder === undefined) {
    mkdirSync(builds, { recursive: true });
    folder = mkdtempSync(join(builds, "run-"));
    removeAtExit(folder);
  }
  const outfile = join(folder, `${basename(path, ".ts")}.mjs`);
  buildSync({
    entryPoints: [path],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    conditions: ["orbitmq-source"],
    banner,
  });
  done.set(path, outfile);
  return outfile;
}
