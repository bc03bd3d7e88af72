/**
 * One Java process: started, watched, ended by its own id and never by name. Whatever this process forgets to stop is
 * killed when it exits, so that a failed test leaves no JVM behind.
 */
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

// What the distribution's own start scripts open for the store's unsafe buffers.
const OPENS = [
  "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
  "--add-opens=java.base/java.lang=ALL-UNNAMED",
  "--add-opens=java.base/java.nio=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
  "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
  "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
];
const STOP_TIMEOUT_MS = 60_000;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface JvmOptions {
  readonly classpath: string;
  readonly mainClass: string;
  readonly args: readonly string[];
  /** -D properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Further JVM flags, e.g. -Xmx512m. */
  readonly flags?: readonly string[];
  /** Start fast, as tests want it, rather than run fast; default true. */
  readonly startsFast?: boolean;
  /** Home of the user as Java sees it; its clients log below it. */
  readonly home: string;
  /** ROCKETMQ_HOME, default `home`. */
  readonly rocketmqHome?: string;
  readonly stdio: StdioOptions;
  /** Where it runs, and mqadmin leaves files; default where this process does. */
  readonly cwd?: string;
  /** A program to start it under, e.g. ["ip", "netns", "exec", name]; it must keep the pid. */
  readonly wrapper?: readonly string[];
}

export class Jvm {
  readonly child: ChildProcess;
  /** Resolves with the exit status, or the signal's name, once the process is gone. */
  readonly exited: Promise<number | NodeJS.Signals>;

  constructor(options: JvmOptions) {
    // Netty leaves keys behind in it when it is killed.
    const temporary = join(options.home, "tmp");
    mkdirSync(temporary, { recursive: true });
    const properties = Object.entries({
      "user.home": options.home,
      "java.io.tmpdir": temporary,
      ...options.properties,
    });
    const argv = [
      ...OPENS,
      ...(options.startsFast === false ? [] : ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]),
      "-XX:-UsePerfData",
      ...(options.flags ?? []),
      ...properties.map(([name, value]) => `-D${name}=${value}`),
      "-cp",
      options.classpath,
      options.mainClass,
      ...options.args,
    ];
    // Settings of the developer's own RocketMQ must not reach in here.
    const { NAMESRV_ADDR: _namesrv, ROCKETMQ_SERIALIZE_TYPE: _serialize, ...env } = process.env;
    const [program = "java", ...args] = [...(options.wrapper ?? []), "java", ...argv];
    this.child = spawn(program, args, {
      env: { ...env, ROCKETMQ_HOME: options.rocketmqHome ?? options.home },
      stdio: options.stdio,
      cwd: options.cwd,
    });
    running.add(this.child);
    this.exited = once(this.child, "exit").then(([status, signal]) => {
      running.delete(this.child);
      return (status as number | null) ?? (signal as NodeJS.Signals);
    });
    this.exited.catch(() => running.delete(this.child));
  }

  get pid(): number {
    const { pid } = this.child;
    if (pid === undefined) throw new Error("java did not start");
    return pid;
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** A clean shutdown; one that hangs for a minute is killed and reported as an error. */
  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_TIMEOUT_MS);
    const ended = await this.exited;
    clearTimeout(timer);
    if (ended === "SIGKILL")
      throw new Error(`java process ${this.pid} did not stop within ${STOP_TIMEOUT_MS} ms`);
  }

  /** kill -9: nothing is flushed, nothing said goodbye. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }
}
