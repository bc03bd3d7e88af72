/** Probes that are loaded into a server's process from outside: as shipped, it measures nothing of the kind. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BenchServerOptions } from "./bench-server.ts";

const measure = join(import.meta.dirname, "../measure");

/** The environment of a server on Node. */
export function probing({
  stallFile,
  profileFolder,
}: Pick<BenchServerOptions, "stallFile" | "profileFolder">): Readonly<Record<string, string>> {
  const env: Record<string, string> = {};
  const probes: string[] = [];
  if (stallFile !== undefined) {
    env.BENCH_STALL_FILE = stallFile;
    probes.push("stall-probe.mjs");
  }
  if (profileFolder !== undefined) {
    env.BENCH_PROFILE_FOLDER = profileFolder;
    probes.push("cpu-profile-probe.mjs");
  }
  const imports = probes.map((probe) => `--import=${pathToFileURL(join(measure, probe)).href}`);
  return imports.length === 0 ? env : { ...env, NODE_OPTIONS: imports.join(" ") };
}
