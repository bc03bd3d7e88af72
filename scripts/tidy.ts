/**
 * Checks the house rules over every tracked source file and prints what breaks them, with the replacement.
 * Exit code 1 when anything does. The rules are in tidy/rules.ts, the floor plan in tidy/packages.ts.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { findDeadFiles } from "./tidy/dead-files.ts";
import { rules } from "./tidy/rules.ts";
import { type Finding, parseSource, type Source } from "./tidy/source.ts";

const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => path !== "");

const sources: Source[] = tracked
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts") && !path.includes("/testdata/"))
  .map((path) => parseSource(path, readFileSync(path, "utf8")));

/** Doors of packages, and files that package.json scripts, CI or bundles start. */
function entryFiles(): string[] {
  const roots: string[] = [];
  for (const path of tracked.filter((file) => file.endsWith("package.json"))) {
    const folder = path.slice(0, -"package.json".length);
    const text = readFileSync(path, "utf8");
    for (const match of text.matchAll(/[\w./-]+\.ts\b/g)) roots.push(folder + match[0].replace(/^\.\//, ""));
  }
  for (const path of tracked.filter((file) => /\.(mjs|sh|md)$/.test(file) || file.startsWith(".ci/"))) {
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : "";
    for (const match of readFileSync(path, "utf8").matchAll(/[\w./-]+\.ts\b/g)) {
      roots.push(match[0].replace(/^\.\//, ""), folder + match[0].replace(/^\.\//, ""));
    }
  }
  return roots;
}

const findings: Finding[] = [
  ...sources.flatMap((source) => rules.flatMap((rule) => rule(source))),
  ...findDeadFiles(sources, entryFiles()),
];
for (const { path, line, message } of findings) console.log(`${path}:${line} ${message}`);
console.log(`tidy: ${sources.length} files, ${findings.length} findings`);
process.exitCode = findings.length === 0 ? 0 : 1;
