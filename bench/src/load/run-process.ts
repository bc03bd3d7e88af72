/** Runs one of the load scripts beside this file in a process of its own and hands over the JSON line it ends with. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { bundled } from "./bundled.ts";

export interface Running<T> {
  readonly pid: number;
  /** Rejects with what it said on stderr when it ended with anything but 0. */
  result(): Promise<T>;
  /** Tells it to come to an end, where it waits for that. */
  tell(): void;
  kill(): void;
}

interface Ended {
  readonly code: number | null;
  readonly cause?: Error;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export function startProcess<T>(script: string, options: unknown): Running<T> {
  const args = [bundled(join(import.meta.dirname, script)), JSON.stringify(options)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "pipe"] });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("error", (cause) => resolve({ code: null, cause }));
    child.on("close", (code) => {
      running.delete(child);
      resolve({ code });
    });
  });
  return {
    pid: child.pid as number,
    result: async () => {
      const { code, cause } = await ended;
      if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`, { cause });
      const last = stdout.trim().split("\n").at(-1) ?? "";
      try {
        return JSON.parse(last) as T;
      } catch (error) {
        throw new Error(`${script} said ${last}`, { cause: error });
      }
    },
    tell: () => void child.stdin.end(),
    kill: () => void child.kill("SIGKILL"),
  };
}

export function runProcess<T>(script: string, options: unknown): Promise<T> {
  return startProcess<T>(script, options).result();
}
