/**
 * Reads Linux's table of file locks. A Java broker locks its store with a POSIX (fcntl) lock, which a flock(2)
 * does not collide with, so it is recognised here. One line of the table:
 *
 *   number ": " ["-> "] kind " " ("ADVISORY"|"MANDATORY") " " ("READ"|"WRITE") " " pid " " major ":" minor
 *   ":" inode " " start " " end        (major and minor hexadecimal, inode decimal; "->" marks a waiter)
 */
export interface ProcLock {
  /** `POSIX`, `FLOCK`, `OFDLCK`, `LEASE`, … */
  readonly kind: string;
  /** 0 or -1 when the holder is not visible from here (another pid namespace, an open file description lock). */
  readonly pid: number;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly inode: number;
}

const LINE = /^\d+:\s+(\w+)\s+\S+\s+\S+\s+(-?\d+)\s+([0-9a-f]+):([0-9a-f]+):(\d+)\s/i;

/** Locks that are held; waiters and lines of an unknown shape are left out. */
export function parseProcLocks(table: string): ProcLock[] {
  const locks: ProcLock[] = [];
  for (const line of table.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) continue;
    locks.push({
      kind: match[1]!,
      pid: Number(match[2]),
      deviceMajor: Number.parseInt(match[3]!, 16),
      deviceMinor: Number.parseInt(match[4]!, 16),
      inode: Number(match[5]),
    });
  }
  return locks;
}

/** Splits Linux's `st_dev` into what the table prints. */
export function deviceNumbers(device: number): { major: number; minor: number } {
  const low = (device % 2 ** 32) | 0;
  const high = Math.floor(device / 2 ** 32);
  return {
    major: ((low >>> 8) & 0xfff) | (high & ~0xfff),
    minor: (low & 0xff) | ((low >>> 12) & ~0xff),
  };
}
