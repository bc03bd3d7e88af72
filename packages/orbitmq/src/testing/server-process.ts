/**
 * The built command `orbitmq server` as a process of its own, for tests and measurements that need a real
 * process to kill, trace or starve. Not part of the published package.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface ServerProcessOptions {
  /** The store's folder (`--home`); a NameServer alone has none. */
  readonly home: string;
  /** Default `server`, NameServer and broker in one. */
  readonly role?: "server" | "namesrv" | "broker";
  /** More arguments after `server --home … --namesrv-port 0 --broker-port 0 --json`. */
  readonly options?: readonly string[];
  /** A program to start it under, e.g. `["strace", "-D", "-f", …]`; it must keep the pid. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The bundled command to run; default this tree's. */
  readonly cli?: string;
}

export interface ServerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ServerProcess {
  readonly pid: number;
  /** Of a broker alone: those it registers with. */
  readonly namesrvAddr: string;
  /** Empty for a NameServer alone. */
  readonly brokerAddr: string;
  /** Milliseconds from launch to the ready line. */
  readonly readyMs: number;
  readonly exited: Promise<ServerExit>;
  /** What it has written to stderr so far. */
  stderr(): string;
  /** Resolves when a line of stderr matches, now or later; rejects when the process ends first. */
  logged(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** kill -9; resolves when the process is gone. */
  kill(): Promise<ServerExit>;
  /** SIGTERM; resolves with how it ended. */
  stop(): Promise<ServerExit>;
  /** CPU seconds used since launch (Linux). */
  cpuSeconds(): number;
  rssMiB(): number;
}

const CLOCK_TICKS_PER_SECOND = 100;
const cli = join(import.meta.dirname, "../../dist/cli.js");

/** Resolves when the server has printed its ready line; rejects with its stderr when it ended before. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const begin = performance.now();
  const [program, ...args] = serverCommand(options);
  const child = spawn(program as string, args, {
    stdio: ["ignore", "pipe", "pipe"],
    // The usual port of metrics is one, and there may be several servers.
    env: { ...process.env, ORBITMQ_METRICSPROMEXPORTERPORT: "0", ...options.env },
  });
  const exited = once(child, "exit").then(([code, signal]) => ({ code, signal }) as ServerExit);
  const stderr = collect(child);
  const ready = await readyLine(child);
  if (ready === undefined) {
    const { code, signal } = await exited;
    throw new Error(`the server ended before it was ready (${code ?? signal}):\n${stderr.text()}`);
  }
  const pid = child.pid as number;
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    pid,
    namesrvAddr: ready.namesrv,
    brokerAddr: ready.broker ?? "",
    readyMs: performance.now() - begin,
    exited,
    stderr: stderr.text,
    logged: stderr.logged,
    signal: (signal) => void child.kill(signal),
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
    cpuSeconds: () => {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_SECOND;
    },
    rssMiB: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024,
  };
}

/** The program and its arguments, for tests that watch the process themselves. */
export function serverCommand(options: ServerProcessOptions): string[] {
  return [
    ...(options.wrapper ?? []),
    process.execPath,
    options.cli ?? cli,
    ...commandLine(options),
    "--json",
    ...(options.options ?? []),
  ];
}

function commandLine({ role = "server", home }: ServerProcessOptions): readonly string[] {
  return [
    role,
    ...(role === "namesrv" ? [] : ["--home", home, "--broker-port", "0"]),
    ...(role === "broker" ? [] : ["--namesrv-port", "0"]),
  ];
}

async function readyLine(child: ChildProcess): Promise<{ namesrv: string; broker?: string } | undefined> {
  const stdout = child.stdout;
  if (stdout === null) throw new Error("the server's stdout is not piped");
  const lines = createInterface({ input: stdout });
  return new Promise((resolve, reject) => {
    lines.once("line", (line) => {
      try {
        resolve(JSON.parse(line) as { namesrv: string; broker?: string });
      } catch (cause) {
        reject(new Error(`the first line on stdout is not the ready line: ${line}`, { cause }));
      }
    });
    lines.once("close", () => resolve(undefined));
  });
}

function collect(child: ChildProcess) {
  let text = "";
  const waiters = new Set<() => void>();
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString("utf8");
    for (const check of waiters) check();
  });
  return {
    text: () => text,
    logged: (pattern: RegExp): Promise<string> =>
      new Promise((resolve, reject) => {
        const check = () => {
          const line = text.split("\n").find((candidate) => pattern.test(candidate));
          if (line === undefined) return;
          waiters.delete(check);
          resolve(line);
        };
        waiters.add(check);
        child.once("exit", () => reject(new Error(`the server ended before it logged ${pattern}:\n${text}`)));
        check();
      }),
  };
}
