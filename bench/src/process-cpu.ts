/**
 * What a process has used of the CPU, told apart by thread (Linux: /proc). On a shared machine this holds where
 * rates do not: a message costs what it costs, however often the scheduler looks away.
 */
import { readdirSync, readFileSync } from "node:fs";

export interface CpuUse {
  /** CPU seconds of all threads. */
  readonly total: number;
  /** Of the main thread: in Node the event loop, the one core that bounds throughput. */
  readonly mainThread: number;
}

/** CPU seconds since the process began; zeros where there is no /proc or no such process. */
export function cpuOf(pid: number): CpuUse {
  let total = 0;
  let mainThread = 0;
  for (const thread of threadsOf(pid)) {
    const seconds = secondsOf(pid, thread);
    total += seconds;
    if (thread === String(pid)) mainThread = seconds;
  }
  return { total, mainThread };
}

export function cpuBetween(before: CpuUse, after: CpuUse): CpuUse {
  return { total: after.total - before.total, mainThread: after.mainThread - before.mainThread };
}

/** Resident memory in MiB: now, and the most it ever was. */
export function memoryOf(pid: number): { readonly rssMiB: number; readonly peakMiB: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const mib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
    return { rssMiB: mib("VmRSS"), peakMiB: mib("VmHWM") };
  } catch {
    return { rssMiB: 0, peakMiB: 0 };
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** The scheduler's own count, in nanoseconds; a thread that has ended counts no more. */
function secondsOf(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]) / 1e9;
  } catch {
    return 0;
  }
}
