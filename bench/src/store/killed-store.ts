/** Leaves a store behind as a killed process does. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** The store in `home` has had so many messages appended under ASYNC_FLUSH when its process was killed. */
export function leaveKilledStore(home: string, messages: number): void {
  const script = join(import.meta.dirname, "append-and-die.ts");
  const args = ["--conditions=orbitmq-source", "--import", "tsx", script, home, String(messages)];
  const { signal } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (signal !== "SIGKILL") throw new Error("the store's process did not come to its end");
}
