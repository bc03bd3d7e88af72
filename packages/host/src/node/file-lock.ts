/**
 * The store's lock: flock(2), taken by a program on our own descriptor (see locker-program), so that the kernel
 * frees it with this process and nobody compares pids. Two locks in one process collide, too, and so do two
 * containers on one folder. Java takes a POSIX lock instead, which flock(2) does not collide with: it is looked
 * for separately, and kept out where perl is installed (see locker-program).
 */
import type { FileLock } from "../files.ts";
import { HostError } from "../host-error.ts";
import { lockerPrograms, tryLocker } from "./locker-program.ts";
import type { NodeOpenFile } from "./node-open-file.ts";
import { posixLockHolder } from "./posix-lock.ts";

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
  for (const program of lockerPrograms()) {
    const { outcome, pid, sawPosix, why } = tryLocker(program, fd, searchPath);
    if (outcome === "missing" || outcome === "failed") {
      tried.push(why);
      continue;
    }
    if (outcome === "held") throw new HostError("ELOCKED", `${file.path} is locked by ${heldBy(file)}`);
    const holder = outcome === "posix" ? pid : isNew || sawPosix ? undefined : posixLockHolder(fd);
    if (holder !== undefined) {
      const who = holder === 0 ? "a process not visible from here" : `pid ${holder}`;
      throw new HostError("ELOCKED", `${file.path} is locked by ${who}, probably a Java broker`);
    }
    file.truncateSync(0);
    file.writeSync(new TextEncoder().encode(`pid ${process.pid}\n`), 0);
    return;
  }
  throw new HostError("ENOLOCK", `no lock can be had on ${file.path}: ${tried.join("; ")}`);
}

/** What the holder wrote into the file, for the message only. */
function heldBy(file: NodeOpenFile): string {
  const note = new Uint8Array(64);
  const length = file.readSync(note, 0);
  const pid = /^pid (\d+)\n/.exec(new TextDecoder().decode(note.subarray(0, length)))?.[1];
  return pid === undefined ? "another process" : `another process (it called itself pid ${pid})`;
}
