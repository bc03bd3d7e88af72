/** Makes the kernel forget what it holds of files, so that a read has to go to the disk. Root only, Linux only. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";

/** What is dirty is written out before. Pages that a process has mapped stay: end it first. Throws when not allowed. */
export function dropPageCache(): void {
  spawnSync("sync");
  writeFileSync("/proc/sys/vm/drop_caches", "1");
}
