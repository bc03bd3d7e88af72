/** A server program of somebody else: started as a group of its own, watched, ended by its own id. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import type { RunningSystem } from "./other-system.ts";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) end(child);
});

/** What a program says of its version; undefined where it cannot be run. */
export function versionOf(program: string, args: readonly string[], pattern: RegExp): string | undefined {
  const { error, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (error !== undefined) return undefined;
  return pattern.exec(`${stdout}${stderr}`)?.[1];
}

export function startProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningSystem {
  const child = spawn(program, args, { stdio: "ignore", detached: true, env: { ...process.env, ...env } });
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${program} did not start`);
  running.add(child);
  const exited = once(child, "exit").then(() => running.delete(child));
  return {
    pids: () => descendants(pid),
    stop: async () => {
      end(child);
      await exited;
    },
  };
}

/** The whole group: a start script's server, too. */
function end(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function descendants(pid: number): number[] {
  const found = [pid];
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").trim();
      if (children !== "") found.push(...children.split(" ").flatMap((child) => descendants(Number(child))));
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return found;
}
