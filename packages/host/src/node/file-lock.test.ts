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

for (const program of ["flock", "perl", "python3"]) {
  test(`${program} alone is enough to take and to refuse a lock`, (t) => {
    const found = where(program);
    if (found === undefined) return t.skip(`${program} is not installed`);
    const only = mkdtempSync(join(folder, `only-${program}-`));
    if (program === "python3" && found.includes("shims"))
      symlinkSync("/usr/bin/python3", join(only, program));
    else symlinkSync(found, join(only, program));
    const limited = nodeHost({ lockerSearchPath: only }).files;
    const path = join(folder, `by-${program}`);
    const lock = limited.lockSync(path);
    assert.throws(() => limited.lockSync(path), codeIs("ELOCKED"));
    assert.throws(() => files.lockSync(path), codeIs("ELOCKED"));
    lock.release();
    limited.lockSync(path).release();
  });
}

test("without any locker program the lock is refused as ENOLOCK, naming what was tried", () => {
  const path = join(folder, "no-locker");
  assert.throws(
    () => nodeHost({ lockerSearchPath: join(folder, "nothing-here") }).files.lockSync(path),
    (error) => codeIs("ENOLOCK")(error) && /flock is not installed.*python3/.test((error as Error).message),
  );
  files.lockSync(path).release();
});

test("a POSIX lock, as a Java broker takes it, is recognised with its holder's pid", async (t) => {
  if (process.platform !== "linux") return t.skip("only Linux shows POSIX locks of others");
  const path = join(folder, "posix");
  files.openSync(path, { create: true }).closeSync();
  const programs = {
    python3: [
      "-c",
      "import fcntl,sys\nf=open(sys.argv[1],'r+')\nfcntl.lockf(f,fcntl.LOCK_EX)\nprint('locked',flush=True)\nsys.stdin.read()",
      path,
    ],
    perl: [
      "-e",
      'use Fcntl; $|=1; open(my $f,"+<",$ARGV[0]); fcntl($f,F_SETLK,pack("s s x4 q q l x4",1,0,0,0,0)) or die; print "locked\\n"; <STDIN>',
      path,
    ],
  };
  const program = (["python3", "perl"] as const).find((name) => where(name) !== undefined);
  if (program === undefined) return t.skip("neither python3 nor perl is installed");
  const { child, exited } = await holding(program, programs[program]);
  assert.throws(
    () => files.lockSync(path),
    (error) => codeIs("ELOCKED")(error) && /locked by pid \d+, probably a Java broker/.test(String(error)),
  );
  child.kill("SIGKILL");
  await exited;
  files.lockSync(path).release();
});
