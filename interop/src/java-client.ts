/**
 * Runs the programs of `java/src` with the official client, and mqadmin, and hands over what they say. Starting a JVM
 * costs more than what a test does in it, so `startJavaClients` gives one in which any number of programs run, also at
 * the same time; each is a client of its own all the same. Their JSON lines can be read as they come, which is how a
 * test waits for "ready", a rebalance or the n-th message.
 */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type JavaVersion, javaClasspath } from "./java-classpath.ts";
import { Jvm } from "./jvm.ts";
import { type JsonLine, ProgramLines } from "./program-lines.ts";

const javaDirectory = fileURLToPath(new URL("../java", import.meta.url));
const STDERR_KEPT_CHARS = 8_000;

export type ProgramCommand =
  | "admin"
  | "dashboard"
  | "produce"
  | "consume"
  | "litepull"
  | "request"
  | "transact"
  | "tour"
  | "traces";
export type ProgramArgs = Readonly<Record<string, string | number>>;

export interface JavaClientOptions {
  /** Folder below which the client logs. */
  readonly home: string;
  readonly version?: JavaVersion;
  /** Header encoding of its requests, default JSON. */
  readonly encoding?: "JSON" | "ROCKETMQ";
  readonly systemProperties?: Readonly<Record<string, string>>;
  /** More flags of its JVM, e.g. -javaagent:jar. */
  readonly flags?: readonly string[];
  /** A program to start java under, e.g. ["ip", "netns", "exec", name]; it must keep the pid. */
  readonly wrapper?: readonly string[];
}

/** A program that runs in a JVM of `startJavaClients`. */
export class JavaRun extends ProgramLines {
  /** Resolves with its exit status when it ended. */
  readonly done: Promise<number>;
  readonly #tell: (word: string) => void;

  constructor(tell: (word: string) => void) {
    super();
    this.#tell = tell;
    this.done = this.line((line) => "exit" in line).then((line) => Number(line["exit"]));
    this.done.catch(() => "told to whoever awaits it");
  }

  /** A consumer commits, leaves its group and prints its end line. */
  async stop(): Promise<void> {
    this.#tell("stop");
    await this.done;
  }
}

/** One JVM for many clients. */
export class JavaClients {
  readonly jvm: Jvm;
  readonly #runs = new Map<string, JavaRun>();
  #runsSoFar = 0;
  #stderr = "";

  constructor(jvm: Jvm, serving: () => void, ended: (error: Error) => void) {
    this.jvm = jvm;
    const { stdout, stderr } = jvm.child;
    if (stdout === null || stderr === null) throw new Error("the JVM needs its output piped");
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT_CHARS);
    });
    const reader = createInterface({ input: stdout });
    reader.on("line", (text) => {
      if (!text.startsWith("{")) return;
      const line = JSON.parse(text) as JsonLine;
      if (line["serving"] === true) serving();
      this.#runs.get(String(line["run"]))?.add(line);
      if ("exit" in line)
        this.#runs.get(String(line["run"]))?.end(() => `${line["problem"]}\n${this.#stderr}`);
    });
    reader.once("close", () => {
      for (const run of this.#runs.values()) run.end(() => this.#stderr);
      ended(new Error(`the JVM ended before it was ready\n${this.#stderr}`));
    });
  }

  /** Starts a program; options become `--name value`. */
  start(command: ProgramCommand, args: ProgramArgs): JavaRun {
    const name = String(++this.#runsSoFar);
    const run = new JavaRun((word) => this.#write([name, word]));
    this.#runs.set(name, run);
    if (!this.jvm.alive) run.end(() => `the JVM has ended\n${this.#stderr}`);
    else this.#write([name, command, ...argv(args)]);
    return run;
  }

  /** Runs a program to its end and returns its lines; a status other than 0 is an error. */
  async run(command: ProgramCommand, args: ProgramArgs): Promise<readonly JsonLine[]> {
    const run = this.start(command, args);
    const status = await run.done;
    return succeeded(
      command,
      status,
      run.lines.filter((line) => !("exit" in line) || status !== 0),
      this.#stderr,
    );
  }

  /** Ends the JVM with whatever runs in it. */
  async stop(): Promise<void> {
    this.jvm.child.stdin?.end();
    await this.jvm.exited;
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.jvm.kill();
  }

  #write(words: readonly string[]): void {
    this.jvm.child.stdin?.write(`${words.join("\t")}\n`);
  }
}

/** Starts a JVM for clients; resolves when it takes programs. */
export async function startJavaClients(options: JavaClientOptions): Promise<JavaClients> {
  const jvm = await client("interop.Main", ["serve"], options, "pipe");
  return new Promise((resolve, reject) => {
    const clients = new JavaClients(jvm, () => resolve(clients), reject);
  });
}

/** Runs a program in a JVM of its own and returns its lines; a status other than 0 is an error. */
export async function runProgram(
  command: ProgramCommand,
  args: ProgramArgs,
  options: JavaClientOptions,
): Promise<readonly JsonLine[]> {
  const { status, stdout, stderr } = await output(
    await client("interop.Main", [command, ...argv(args)], options),
  );
  const texts = stdout.split("\n").filter((text) => text.startsWith("{"));
  return succeeded(
    command,
    status,
    texts.map((text) => JSON.parse(text) as JsonLine),
    stderr,
  );
}

export interface AdminResult {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs mqadmin, e.g. ["topicList", "-n", namesrv]. It exits with 0 even when a command failed: look at the text. */
export async function runAdmin(args: readonly string[], options: JavaClientOptions): Promise<AdminResult> {
  return output(await client("org.apache.rocketmq.tools.command.MQAdminStartup", args, options));
}

async function output(jvm: Jvm): Promise<AdminResult> {
  const texts = { stdout: "", stderr: "" };
  const closed = (["stdout", "stderr"] as const).map((name) => {
    const stream = jvm.child[name];
    if (stream === null) throw new Error("the JVM needs its output piped");
    stream.setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
    return new Promise<void>((resolve) => stream.once("close", resolve));
  });
  const [status] = await Promise.all([jvm.exited, ...closed]);
  return { status, ...texts };
}

const argv = (args: ProgramArgs): string[] =>
  Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);

function succeeded(
  command: ProgramCommand,
  status: number | NodeJS.Signals,
  lines: readonly JsonLine[],
  stderr: string,
): readonly JsonLine[] {
  if (status === 0) return lines;
  const last = lines.slice(-5).map((line) => JSON.stringify(line));
  throw new Error(`${command} ended with ${status}\n${last.join("\n")}\n${stderr}`);
}

async function client(
  mainClass: string,
  args: readonly string[],
  options: JavaClientOptions,
  stdin: "ignore" | "pipe" = "ignore",
): Promise<Jvm> {
  return new Jvm({
    classpath: await javaClasspath(options.version ?? "5.5.0"),
    mainClass,
    args,
    properties: {
      // A consumer learns of its new retry topic by polling routes (30 s) and rebalancing (20 s): too slow for a test.
      "rocketmq.client.rebalance.waitInterval": "1000",
      "rocketmq.client.rebalance.minInterval": "100",
      "rocketmq.serialize.type": options.encoding ?? "JSON",
      "rocketmq.client.logRoot": `${options.home}/logs`,
      ...options.systemProperties,
    },
    flags: ["-Xms32m", "-Xmx256m", ...(options.flags ?? [])],
    home: options.home,
    cwd: options.home,
    rocketmqHome: javaDirectory,
    stdio: [stdin, "pipe", "pipe"],
    wrapper: options.wrapper ?? [],
  });
}
