// `npm run bench -- COMMAND [options]`: builds what is stale, then runs one measurement of bench/src.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const [command = "send", ...options] = process.argv.slice(2);
const script = join(import.meta.dirname, "src", `${command}.ts`);
if (!existsSync(script)) {
  console.error(`there is no measurement ${command}`);
  process.exit(2);
}
const run = (args) => {
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
};
run([join(import.meta.dirname, "../scripts/build.mjs"), "--if-stale"]);
run(["--conditions=orbitmq-source", "--import", "tsx", script, ...options]);
