/** Work on a store that needs a process of its own: one that is killed, or whose memory is measured. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Runs `script` of this folder with `args`; returns what it has printed as JSON. Throws when it ends otherwise. */
export function inChild<T>(script: string, args: readonly string[], signal: NodeJS.Signals | null = null): T {
  const path = join(import.meta.dirname, script);
  const run = spawnSync(process.execPath, ["--conditions=orbitmq-source", "--import", "tsx", path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (run.signal !== signal || (signal === null && run.status !== 0)) {
    throw new Error(`${script} came to an end by ${run.signal ?? `status ${run.status}`}`);
  }
  return (signal === null ? JSON.parse(run.stdout.toString()) : undefined) as T;
}
