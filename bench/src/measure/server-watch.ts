/**
 * The server while its load is measured: what its processes use of the CPU, and, where the measurement is
 * `bench -- profile`, the stretch that is profiled: the probe in the server (cpu-profile-probe.mjs) is told here.
 */
import { type CpuSpent, cpuBetween, cpuOf } from "./process-cpu.ts";

/** Set for all processes of a measurement that profiles. */
export const PROFILING = "BENCH_PROFILING";

const BEGIN = "SIGURG";
const END = "SIGCONT";

/** From now on; returns what ends it and says what was used. `pids`: of one server, the one with the probe first. */
export function watchServer(pids: readonly number[]): () => CpuSpent {
  tellProbe(pids, BEGIN);
  const before = cpuOf(pids);
  return () => {
    const spent = cpuBetween(before, cpuOf(pids));
    tellProbe(pids, END);
    return spent;
  };
}

function tellProbe([pid]: readonly number[], what: NodeJS.Signals): void {
  if (pid !== undefined && process.env[PROFILING] !== undefined) process.kill(pid, what);
}
