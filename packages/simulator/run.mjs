// `npm run sim -- …`: bundles the simulator from the sources (of a patched copy with --patch FILE) and runs it.
// `npm run mutants -- …` starts here, too: see mutants.mjs.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundle, nodeFlags, PatchError, patchedTree, root, temporaryFolder } from "./tooling.mjs";

if (process.argv[2] === "mutants") {
  process.argv.splice(2, 1);
  await import("./mutants.mjs");
  process.exit();
}
const args = process.argv.slice(2);
const folder = temporaryFolder();
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let tree = root;
let command = "npm run sim --";
const patchAt = args.indexOf("--patch");
try {
  if (patchAt >= 0) {
    const [, patch] = args.splice(patchAt, 2);
    if (patch === undefined) throw new PatchError("--patch needs a file");
    // npm runs scripts in the workspace root; INIT_CWD is where the user typed the command.
    const file = resolve(process.env.INIT_CWD ?? process.cwd(), patch);
    patchedTree(folder, file);
    tree = folder;
    command += ` --patch ${patch}`;
  }
  await bundle(tree, join(folder, "sim.mjs"));
} catch (error) {
  console.error(error instanceof PatchError ? error.message : error);
  process.exit(error instanceof PatchError ? 2 : 1);
}
const child = spawn(process.execPath, [...nodeFlags(args), join(folder, "sim.mjs"), ...args], {
  stdio: "inherit",
  env: { ...process.env, ORBITMQ_SIM_COMMAND: command },
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 1));
