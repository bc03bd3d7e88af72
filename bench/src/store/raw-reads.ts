/** What the disk gives by itself, the page cache emptied before or not: plain preads of a log's bytes. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { dropPageCache } from "../measure/page-cache.ts";

const PREAD_BYTES = 256 * 1024;
const PAGE_BYTES = 4096;
const MIB = 1024 * 1024;

/** As `dropPageCache`; false, with a word about it, where that cannot be asked for. */
export function forgetFiles(): boolean {
  try {
    dropPageCache();
    return true;
  } catch (error) {
    console.error(`the page cache stays: ${(error as Error).message}`);
    return false;
  }
}

export interface RawRate {
  readonly mibPerSecond: number;
  /** Of this process, for each MiB: what the kernel takes for it, and waits for in no rate. */
  readonly cpuUsPerMib: number;
}

/** Plain preads, one after the other, over the first `bytes` of the log in `home`. */
export function rawPread(home: string, bytes: number): RawRate {
  const cpu = process.cpuUsage();
  const block = Buffer.alloc(PREAD_BYTES);
  const begin = performance.now();
  let left = bytes;
  for (const name of readdirSync(join(home, "commitlog")).sort()) {
    const fd = openSync(join(home, "commitlog", name), "r");
    for (let at = 0; left > 0; at += PREAD_BYTES) {
      const count = readSync(fd, block, 0, Math.min(PREAD_BYTES, left), at);
      if (count === 0) break;
      left -= count;
    }
    closeSync(fd);
  }
  const { user, system } = process.cpuUsage(cpu);
  const mib = bytes / MIB;
  return { mibPerSecond: mib / ((performance.now() - begin) / 1000), cpuUsPerMib: (user + system) / mib };
}

/** Plain preads of 4 KiB per second at random places of the log in `home`, one after the other. */
export function rawRandomPread(home: string, count: number): number {
  const folder = join(home, "commitlog");
  const name = readdirSync(folder).sort()[0]!;
  const fd = openSync(join(folder, name), "r");
  // The first segment is written up to its last block with something in it: all of it where it is full.
  const pages = Math.floor((fstatSync(fd).blocks * 512) / PAGE_BYTES);
  const block = Buffer.alloc(PAGE_BYTES);
  const begin = performance.now();
  for (let index = 0; index < count; index++) {
    readSync(fd, block, 0, PAGE_BYTES, Math.floor(Math.random() * pages) * PAGE_BYTES);
  }
  const seconds = (performance.now() - begin) / 1000;
  closeSync(fd);
  return count / seconds;
}
