/**
 * What processes have used of the CPU, told apart by thread (Linux: /proc). On a shared machine this holds where
 * rates do not: a message costs what it costs, however often the scheduler looks away.
 */
import { readdirSync, readFileSync } from "node:fs";

/** CPU seconds by thread, `pid/tid`. */
export type CpuUse = ReadonlyMap<string, number>;

export interface CpuSpent {
  /** CPU seconds of all threads. */
  readonly total: number;
  /** Of the thread that used most: in Node the event loop, the one core that bounds throughput. */
  readonly busiestThread: number;
}

/** Since each thread began; empty where there is no /proc or no such process. */
export function cpuOf(pids: readonly number[]): CpuUse {
  const use = new Map<string, number>();
  for (const pid of pids) {
    for (const thread of threadsOf(pid)) use.set(`${pid}/${thread}`, secondsOf(pid, thread));
  }
  return use;
}

export function cpuBetween(before: CpuUse, after: CpuUse): CpuSpent {
  let total = 0;
  let busiestThread = 0;
  for (const [thread, seconds] of after) {
    const used = seconds - (before.get(thread) ?? 0);
    total += used;
    busiestThread = Math.max(busiestThread, used);
  }
  return { total, busiestThread };
}

/** Resident memory of all of them in MiB: now, and the most each ever was. */
export function memoryOf(pids: readonly number[]): { readonly rssMiB: number; readonly peakMiB: number } {
  let rssMiB = 0;
  let peakMiB = 0;
  for (const pid of pids) {
    const status = read(`/proc/${pid}/status`);
    const mib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
    rssMiB += mib("VmRSS");
    peakMiB += mib("VmHWM");
  }
  return { rssMiB, peakMiB };
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
  return Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0] || 0) / 1e9;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
