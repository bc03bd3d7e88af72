/**
 * The built command as a process, for tests of what only a process can show: streams, exit codes, signals. Builds
 * first when a source is newer than the bundle.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const packageFolder = join(import.meta.dirname, "../..");
export const cli = join(packageFolder, "dist/cli.js");

export function ensureBuilt(): void {
  execFileSync(process.execPath, [join(packageFolder, "../../scripts/build.mjs"), "--if-stale"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

export interface RunningCommand {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves when stdout has a line that matches; rejects when the process ended without one. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** The same for stderr. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  readonly ended: Promise<CommandResult>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly cwd?: string;
  /** A program the command runs under, with its arguments. */
  readonly wrapper?: readonly string[];
}

/** Starts `orbitmq …args`. No variable of ours reaches it but those given. */
export function startCommand(args: readonly string[], options: CommandOptions = {}): RunningCommand {
  const [program, ...rest] = [...(options.wrapper ?? []), process.execPath, cli, ...args] as [
    string,
    ...string[],
  ];
  const { NAMESRV_ADDR: _address, NODE_OPTIONS: _nodeOptions, ...inherited } = process.env;
  const ours = /^ORBITMQ_|^NODE_(DISABLE_)?COMPILE_CACHE$/;
  const env = Object.fromEntries(Object.entries(inherited).filter(([name]) => !ours.test(name)));
  const child = spawn(program, rest, {
    cwd: options.cwd,
    env: { ...env, ...options.env },
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  child.stdin?.end(options.stdin);
  const texts = { stdout: "", stderr: "" };
  const checks = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
      for (const check of checks) check();
    });
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, ...texts }));
  });
  const waitFor = (name: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const check = () => {
        const match = pattern.exec(texts[name]);
        if (match === null) return;
        checks.delete(check);
        resolve(match);
      };
      checks.add(check);
      ended.then(
        ({ code, stdout, stderr }) =>
          reject(new Error(`ended with ${code} before ${pattern} came on ${name}:\n${stdout}${stderr}`)),
        reject,
      );
      check();
    });
  return {
    child,
    stdout: () => texts.stdout,
    stderr: () => texts.stderr,
    printed: (pattern) => waitFor("stdout", pattern),
    said: (pattern) => waitFor("stderr", pattern),
    ended,
  };
}

/** Runs `orbitmq …args` to its end. */
export function runCommand(args: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return startCommand(args, options).ended;
}

export interface TestServer extends RunningCommand {
  readonly namesrv: string;
  readonly broker: string;
}

/** Starts `orbitmq server` on free ports and waits for its ready line. */
export async function startServer(args: readonly string[], options?: CommandOptions): Promise<TestServer> {
  const server = startCommand(["server", "--namesrv-port", "0", "--broker-port", "0", ...args], options);
  const [, namesrv, broker] = await server.printed(/^ready namesrv=(\S+) broker=(\S+)\n/m);
  return { ...server, namesrv: namesrv as string, broker: broker as string };
}

/** A folder for one test; `remove` takes it away with all that is in it. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "orbitmq-test-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Lines of JSON. */
export function jsonRows(text: string): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
