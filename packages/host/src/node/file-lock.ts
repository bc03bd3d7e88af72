/**
 * The store's lock. Node has no flock(2), so a locker program (flock of util-linux or busybox, else perl, else
 * python3) takes it on a descriptor inherited from us: such a lock belongs to the open file description, which
 * the program leaves behind and which lives exactly as long as our descriptor, that is as long as this process
 * however it ends. Nobody compares pids. Two locks in one process collide, too, and so do two containers on
 * one folder.
 *
 * Java takes a POSIX lock instead, invisible to flock(2); on Linux /proc/locks shows it.
 */
import { spawnSync } from "node:child_process";
import { fstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { FileLock } from "../files.ts";
import { HostError } from "../host-error.ts";
import type { NodeOpenFile } from "./node-open-file.ts";
import { deviceNumbers, parseProcLocks } from "./proc-locks.ts";

/**
 * Each tries to lock descriptor 3 without waiting: exit code 0 locked, 1 somebody else has it. Cheapest first.
 * (6 is LOCK_EX|LOCK_NB; 11 and 35 are EWOULDBLOCK on Linux and on macOS.)
 */
const LOCKERS: readonly (readonly [program: string, ...args: string[]])[] = [
  ["flock", "-n", "-x", "3"],
  ["perl", "-e", 'open(my $f, "+<&=", 3) or exit 2; exit(flock($f, 6) ? 0 : $! == 11 || $! == 35 ? 1 : 2)'],
  [
    "python3",
    "-I",
    "-S",
    "-c",
    "import fcntl\ntry: fcntl.flock(3, 6)\nexcept BlockingIOError: raise SystemExit(1)\n",
  ],
];
const LOCKER_TIMEOUT_MS = 5000;

/** `undefined` when the program is not installed. */
function tryLocker(
  [program, ...args]: readonly [string, ...string[]],
  fd: number,
  searchPath: string,
): "locked" | "held" | { readonly failed: string } | undefined {
  const { status, signal, error, stderr } = spawnSync(program, args, {
    stdio: ["ignore", "ignore", "pipe", fd],
    env: { PATH: searchPath },
    timeout: LOCKER_TIMEOUT_MS,
  });
  if (error !== undefined) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : { failed: error.message };
  }
  if (status === 0) return "locked";
  if (status === 1) return "held";
  const said = String(stderr).trim().slice(0, 200);
  return { failed: `${program} ended with ${signal ?? status}${said === "" ? "" : `: ${said}`}` };
}

/** Is descriptor-holder `pid` one that has `path` open? For file systems whose device number differs by view. */
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

/** The other process ended or is not ours to look at: it proves nothing. */
function noEvidence(_error: unknown): false {
  return false;
}

/**
 * The pid (0 when not visible) of a process with a POSIX lock on the file. Only Linux can tell. The kernel may
 * take 10 to 20 ms over this table (it waits for an RCU grace period), so nobody should ask without need.
 */
function posixLockHolder(fd: number): number | undefined {
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

const decoder = new TextDecoder();

/** What the holder wrote into the file, for the message only. */
function heldBy(file: NodeOpenFile): string {
  const note = new Uint8Array(64);
  const length = file.readSync(note, 0);
  const pid = /^pid (\d+)\n/.exec(decoder.decode(note.subarray(0, length)))?.[1];
  return pid === undefined ? "another process" : `another process (it called itself pid ${pid})`;
}

/**
 * Takes the lock on `file` or closes it and throws ELOCKED or ENOLOCK. `searchPath` is PATH's syntax; `isNew`
 * says that we created the file just now, so that nobody can have had a lock on it.
 */
export function lockFile(file: NodeOpenFile, searchPath: string, isNew: boolean): FileLock {
  try {
    acquire(file, searchPath, isNew);
  } catch (error) {
    file.closeSync();
    throw error;
  }
  return { release: () => file.closeSync() };
}

function acquire(file: NodeOpenFile, searchPath: string, isNew: boolean): void {
  const fd = file.descriptor;
  const tried: string[] = [];
  for (const locker of LOCKERS) {
    const result = tryLocker(locker, fd, searchPath);
    if (result === undefined) {
      tried.push(`${locker[0]} is not installed`);
    } else if (result === "held") {
      throw new HostError("ELOCKED", `${file.path} is locked by ${heldBy(file)}`);
    } else if (result === "locked") {
      const pid = isNew ? undefined : posixLockHolder(fd);
      if (pid !== undefined) {
        const who = pid === 0 ? "a process not visible from here" : `pid ${pid}`;
        throw new HostError("ELOCKED", `${file.path} is locked by ${who}, probably a Java broker`);
      }
      file.truncateSync(0);
      file.writeSync(new TextEncoder().encode(`pid ${process.pid}\n`), 0);
      return;
    } else tried.push(result.failed);
  }
  throw new HostError("ENOLOCK", `no lock can be had on ${file.path}: ${tried.join("; ")}`);
}
