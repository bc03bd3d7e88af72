/**
 * Who has a POSIX (fcntl) lock on a file, as a Java broker has: told by Linux's lock table, for machines where
 * no program can ask the kernel directly. Holders in a sibling pid namespace do not appear in it.
 */
import { fstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { deviceNumbers, parseProcLocks } from "./proc-locks.ts";

/**
 * The pid, 0 when not visible; `undefined` when nobody has one or nobody can tell. The kernel may take 10 to
 * 20 ms over its table (it waits for an RCU grace period).
 */
export function posixLockHolder(fd: number): number | undefined {
  if (process.platform !== "linux") return undefined;
  let table: string;
  try {
    table = readFileSync("/proc/locks", "utf8");
  } catch (error) {
    noEvidence(error);
    return undefined;
  }
  const { dev, ino } = fstatSync(fd);
  const { major, minor } = deviceNumbers(dev);
  for (const lock of parseProcLocks(table)) {
    if (lock.inode !== ino || (lock.kind !== "POSIX" && lock.kind !== "OFDLCK")) continue;
    if (lock.pid === process.pid) continue;
    const sameDevice = lock.deviceMajor === major && lock.deviceMinor === minor;
    if (sameDevice || (lock.pid > 0 && hasOpen(lock.pid, readlinkSync(`/proc/self/fd/${fd}`)))) {
      return Math.max(lock.pid, 0);
    }
  }
  return undefined;
}

/** For file systems (btrfs, overlayfs) that tell the lock table another device number than fstat. */
function hasOpen(pid: number, path: string): boolean {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).some((entry) => {
      try {
        return readlinkSync(`${folder}/${entry}`) === path;
      } catch (error) {
        return noEvidence(error);
      }
    });
  } catch (error) {
    return noEvidence(error);
  }
}

/** The other process ended, or is not ours to look at: it proves nothing. */
function noEvidence(_error: unknown): false {
  return false;
}
