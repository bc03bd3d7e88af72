import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { HostError } from "../host-error.ts";
import { nodeHost } from "./node-host.ts";

const folder = mkdtempSync(join(tmpdir(), "host-lock-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const { files } = nodeHost();
const holder = fileURLToPath(new URL("./testing/hold-lock.ts", import.meta.url));

const codeIs = (code: string) => (error: unknown) => error instanceof HostError && error.code === code;
const where = (program: string) => {
  const found = spawnSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" });
  return found.status === 0 ? found.stdout.trim() : undefined;
};

/** A child that has something and says so on its first line. */
async function holding(command: string, args: string[]) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const said = await new Promise<string>((resolve, reject) => {
    child.stdout.once("data", (data) => resolve(String(data)));
    child.once("error", reject);
  });
  return { child, exited, said };
}

test("a second lock in the same process is refused, and a released one can be taken again", () => {
  const path = join(folder, "same-process");
  const first = files.lockSync(path);
  assert.throws(() => files.lockSync(path), codeIs("ELOCKED"));
  assert.throws(() => nodeHost().files.lockSync(path), codeIs("ELOCKED"));
  first.release();
  files.lockSync(path).release();
});

test("a lock of another process is refused and named; kill -9 of its holder frees it", async () => {
  const path = join(folder, "other-process");
  const { child, exited, said } = await holding(process.execPath, [...process.execArgv, holder, path]);
  assert.equal(said.trim(), "locked");
  assert.throws(
    () => files.lockSync(path),
    (error) => codeIs("ELOCKED")(error) && (error as Error).message.includes(String(child.pid)),
  );
  child.kill("SIGKILL");
  await exited;
  files.lockSync(path).release();
});

/** A PATH on which only `program` is found; `undefined` when it is not installed. */
function pathWithOnly(program: string): string | undefined {
  const found = where(program);
  if (found === undefined) return undefined;
  const only = mkdtempSync(join(folder, `only-${program}-`));
  // A version manager's shim needs more than itself.
  symlinkSync(found.includes("shims") ? `/usr/bin/${program}` : found, join(only, program));
  return only;
}

for (const program of ["flock", "perl", "python3"]) {
  test(`${program} alone is enough to take and to refuse a lock, on a new file and on an old one`, (t) => {
    const lockerSearchPath = pathWithOnly(program);
    if (lockerSearchPath === undefined) return t.skip(`${program} is not installed`);
    const limited = nodeHost({ lockerSearchPath }).files;
    const path = join(folder, `by-${program}`);
    for (let round = 0; round < 2; round++) {
      const lock = limited.lockSync(path);
      assert.throws(() => limited.lockSync(path), codeIs("ELOCKED"));
      assert.throws(() => files.lockSync(path), codeIs("ELOCKED"));
      lock.release();
    }
  });
}

test("without any locker program the lock is refused as ENOLOCK, naming what was tried", () => {
  const path = join(folder, "no-locker");
  assert.throws(
    () => nodeHost({ lockerSearchPath: join(folder, "nothing-here") }).files.lockSync(path),
    (error) =>
      codeIs("ENOLOCK")(error) &&
      ["flock", "perl", "python3"].every((name) => String(error).includes(`${name} is not installed`)),
  );
  files.lockSync(path).release();
});

/** Holds a POSIX lock on the file named by its argument. */
const POSIX_HOLDERS = {
  python3: [
    "-c",
    "import fcntl,sys\nf=open(sys.argv[1],'r+')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint('locked',flush=True)\nsys.stdin.read()",
  ],
  perl: [
    "-e",
    'use Fcntl; $|=1; open(my $f,"+<",$ARGV[0]); my $l=pack("ssx4qqlx4",1,0,0,0,0); fcntl($f,F_SETLK,$l) or exit 1; print "locked\\n"; <STDIN>',
  ],
};

for (const locker of ["perl", "flock"]) {
  test(`a POSIX lock, as a Java broker takes it, is recognised with its holder's pid when ${locker} looks`, async (t) => {
    if (process.platform !== "linux") return t.skip("only Linux shows POSIX locks of others");
    const lockerSearchPath = pathWithOnly(locker);
    if (lockerSearchPath === undefined) return t.skip(`${locker} is not installed`);
    const program = (["python3", "perl"] as const).find((name) => where(name) !== undefined);
    if (program === undefined) return t.skip("neither python3 nor perl is installed");
    const path = join(folder, `posix-${locker}`);
    files.openSync(path, { create: true }).closeSync();
    const limited = nodeHost({ lockerSearchPath }).files;
    const { child, exited } = await holding(program, [...POSIX_HOLDERS[program], path]);
    assert.throws(
      () => limited.lockSync(path),
      (error) => codeIs("ELOCKED")(error) && /locked by pid \d+, probably a Java broker/.test(String(error)),
    );
    child.kill("SIGKILL");
    await exited;
    limited.lockSync(path).release();
    return undefined;
  });
}

test("while the lock is held a POSIX lock cannot be had, as a Java broker would try it; once released it can", (t) => {
  if (process.platform !== "linux") return t.skip("POSIX locks of others collide on Linux only");
  if (where("perl") === undefined) return t.skip("perl is not installed");
  for (const round of ["new", "old"]) {
    const path = join(folder, "keeps-java-out");
    const lock = files.lockSync(path);
    assert.equal(spawnSync("perl", [...POSIX_HOLDERS.perl, path]).status, 1, `${round} file`);
    lock.release();
    assert.equal(spawnSync("perl", [...POSIX_HOLDERS.perl, path]).status, 0, `${round} file`);
  }
  return undefined;
});
