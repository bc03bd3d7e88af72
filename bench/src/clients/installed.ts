/** Packages of bench/node-clients, installed when a workload first needs them: they are no part of the workspace. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const folder = join(import.meta.dirname, "../../node-clients");

export function installNodeClients(): void {
  if (existsSync(join(folder, "node_modules/.package-lock.json"))) return;
  // None of them needs what a package's own scripts would do.
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  execFileSync("npm", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
}

/** What `require` gives. The packages bring types that do not check under this house's settings. */
export function installed<T>(name: string): T {
  return createRequire(join(folder, "package.json"))(name) as T;
}

export function installedVersion(name: string): string {
  const text = readFileSync(join(folder, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
