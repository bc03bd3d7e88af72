/**
 * Programs that take flock(2) on a descriptor inherited from us. Such a lock belongs to the open file
 * description, which the program leaves behind and which lives exactly as long as our descriptor, that is as
 * long as this process however it ends. Where perl is there it takes a second one of the same kind with fcntl(2),
 * which collides with the POSIX lock of a Java broker: so it sees one that is there and keeps out one that comes.
 */
import { spawnSync } from "node:child_process";

export interface LockAttempt {
  /**
   * `locked`: by us now; `held`: somebody else has the flock; `posix`: somebody else has a POSIX lock (and the
   * flock is ours); `missing`: the program is not installed; `failed`: see `why`.
   */
  readonly outcome: "locked" | "held" | "posix" | "missing" | "failed";
  /** Of the holder of a POSIX lock, 0 when it is not visible from here. */
  readonly pid: number;
  /** Whether `locked` also means that nobody has a POSIX lock. */
  readonly sawPosix: boolean;
  readonly why: string;
}

export interface LockerProgram {
  readonly name: string;
  readonly args: readonly string[];
  readonly seesPosix: boolean;
}

/** 6 is LOCK_EX|LOCK_NB; 11 and 35 are EWOULDBLOCK on Linux and on macOS. */
const PERL_FLOCK = 'open(my $f, "+<&=", 3) or exit 2; flock($f, 6) or exit($! == 11 || $! == 35 ? 1 : 2);';
/**
 * 37 is F_OFD_SETLK, 5 F_GETLK, 1 F_WRLCK, 2 F_UNLCK; 11 and 13 are EAGAIN and EACCES; the pattern is Linux's
 * struct flock on 64-bit machines. A kernel without F_OFD_SETLK can still be asked who has a lock.
 */
const PERL_POSIX =
  'my $l = pack("ssx4qqlx4", 1, 0, 0, 0, 0); exit 0 if fcntl($f, 37, $l);' +
  "my $taken = $! == 11 || $! == 13; fcntl($f, 5, $l) or exit($taken ? 3 : 4);" +
  'my ($t, $w, $s, $n, $pid) = unpack("ssx4qqlx4", $l); exit 0 if $t == 2 && !$taken;' +
  "print $t == 2 ? 0 : $pid; exit 3;";
const PYTHON_FLOCK = "import fcntl\ntry: fcntl.flock(3, 6)\nexcept BlockingIOError: raise SystemExit(1)\n";

const flock: LockerProgram = { name: "flock", args: ["-n", "-x", "3"], seesPosix: false };
const perl: LockerProgram = { name: "perl", args: ["-e", PERL_FLOCK], seesPosix: false };
const perlBoth: LockerProgram = { name: "perl", args: ["-e", PERL_FLOCK + PERL_POSIX], seesPosix: true };
const python: LockerProgram = { name: "python3", args: ["-I", "-S", "-c", PYTHON_FLOCK], seesPosix: false };

const GENERIC_64_BIT = ["x64", "arm64", "riscv64", "loong64", "ppc64", "s390x"];

/** flock takes 2 ms, perl 3, python3 60; asking for POSIX locks in another way takes 15. */
export function lockerPrograms(): readonly LockerProgram[] {
  if (process.platform === "linux" && GENERIC_64_BIT.includes(process.arch)) return [perlBoth, flock, python];
  return [flock, perl, python];
}

const TIMEOUT_MS = 5000;

/** Never waits for the lock. `searchPath` is PATH's syntax. */
export function tryLocker(program: LockerProgram, fd: number, searchPath: string): LockAttempt {
  const { status, signal, error, stdout, stderr } = spawnSync(program.name, program.args, {
    stdio: ["ignore", "pipe", "pipe", fd],
    env: { PATH: searchPath },
    timeout: TIMEOUT_MS,
  });
  const result = (outcome: LockAttempt["outcome"], why = "", pid = 0): LockAttempt => ({
    outcome,
    pid,
    sawPosix: program.seesPosix && status === 0,
    why,
  });
  if (error !== undefined) {
    return (error as NodeJS.ErrnoException).code === "ENOENT"
      ? result("missing", `${program.name} is not installed`)
      : result("failed", error.message);
  }
  if (status === 0) return result("locked");
  if (status === 1) return result("held");
  // Locked, but this kernel did not answer the question about POSIX locks.
  if (status === 4 && program.seesPosix) return result("locked");
  if (status === 3 && program.seesPosix) return result("posix", "", Math.max(0, Number(String(stdout))));
  const said = String(stderr).trim().slice(0, 200);
  return result("failed", `${program.name} ended with ${signal ?? status}${said === "" ? "" : `: ${said}`}`);
}
