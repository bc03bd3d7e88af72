/**
 * The yardstick beside every number: how often per second this disk, right now, takes a 4 KiB write plus
 * fdatasync on a preallocated, zeroed file. The machine is shared and drifts; only ratios of one run count.
 */
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

export interface RawSync {
  readonly perSecond: number;
  /** Of this process for each pair, the kernel's part included: no batch of appends costs less. */
  readonly cpuUs: number;
}

/** As `rawSync`, only the rate. */
export function rawSyncRate(folder: string, durationMs: number): number {
  return rawSync(folder, durationMs).perSecond;
}

/** Write+fdatasync pairs per second and what each costs, measured for `durationMs` in `folder`. */
export function rawSync(folder: string, durationMs: number): RawSync {
  const path = join(folder, "raw-sync.tmp");
  const block = Buffer.alloc(4096, 1);
  const lengthBytes = 32 * 1024 * 1024;
  const fd = openSync(path, "w");
  try {
    const zeros = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < lengthBytes; at += zeros.length) writeSync(fd, zeros, 0, zeros.length, at);
    fdatasyncSync(fd);
    const begin = performance.now();
    const cpu = process.cpuUsage();
    let count = 0;
    let elapsedMs = 0;
    for (; elapsedMs < durationMs; elapsedMs = performance.now() - begin) {
      writeSync(fd, block, 0, block.length, (count * block.length) % lengthBytes);
      fdatasyncSync(fd);
      count++;
    }
    const { user, system } = process.cpuUsage(cpu);
    return { perSecond: (count * 1000) / elapsedMs, cpuUs: (user + system) / count };
  } finally {
    closeSync(fd);
    unlinkSync(path);
  }
}
