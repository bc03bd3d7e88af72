/**
 * What a measurement that is broken off must not leave behind: servers it started, folders it made. Interrupting it
 * ends it by `process.exit`, so that everything which cleans up when this process ends has its turn.
 */
import { rmSync } from "node:fs";

const pids = new Set<number>();
const folders = new Set<string>();

/** Returns what is to be called when it has ended by itself. */
export function killAtExit(pid: number): () => void {
  pids.add(pid);
  return () => void pids.delete(pid);
}

/** Returns what removes it now. */
export function removeAtExit(folder: string): () => void {
  folders.add(folder);
  return () => {
    folders.delete(folder);
    rmSync(folder, { recursive: true, force: true });
  };
}

process.on("exit", () => {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch (error) {
      // It is gone already.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") console.error(error);
    }
  }
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
