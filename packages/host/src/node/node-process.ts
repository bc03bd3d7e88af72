/** What the machine says about this process and about itself. */
import { homedir, totalmem } from "node:os";
import type { HostProcess } from "../host.ts";

/** The container's limit where there is one below the machine's memory. */
function memoryBytes(): number {
  const constrained = process.constrainedMemory?.() ?? 0;
  const total = totalmem();
  return constrained > 0 && constrained < total ? constrained : total;
}

export function nodeProcess(): HostProcess {
  return {
    pid: process.pid,
    totalMemoryBytes: memoryBytes(),
    homeFolder: homedir(),
    hourOf: (wallMs) => new Date(wallMs).getHours(),
  };
}
