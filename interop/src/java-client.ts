/**
 * Runs the programs of `java/src` and mqadmin, and hands over what they say. A program is a process of its own, so two
 * of them are two clients; its JSON lines can be read as they come, which is how a test waits for "ready", a rebalance
 * or the n-th message.
 */
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type JavaVersion, javaClasspath } from "./java-classpath.ts";
import { Jvm } from "./jvm.ts";

const javaDirectory = fileURLToPath(new URL("../java", import.meta.url));

export type ProgramCommand = "produce" | "consume" | "transact" | "tour";
export type JsonLine = Readonly<Record<string, unknown>>;

export interface JavaClientOptions {
  /** Folder below which the client logs. */
  readonly home: string;
  readonly version?: JavaVersion;
  /** Header encoding of its requests, default JSON. */
  readonly encoding?: "JSON" | "ROCKETMQ";
  readonly systemProperties?: Readonly<Record<string, string>>;
}

/** A running program. */
export class JavaProgram {
  readonly jvm: Jvm;
  /** Every line printed so far. */
  readonly lines: JsonLine[] = [];
  /** Resolves with the exit status when the program ended and all its lines are in `lines`. */
  readonly done: Promise<number | NodeJS.Signals>;
  readonly #waiting = new Set<() => void>();
  #stderr = "";
  #ended = false;

  constructor(jvm: Jvm) {
    this.jvm = jvm;
    const { stdout, stderr } = jvm.child;
    if (stdout === null || stderr === null) throw new Error("a program needs its output piped");
    stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-8_000);
    });
    const reader = createInterface({ input: stdout });
    reader.on("line", (line) => {
      if (!line.startsWith("{")) return;
      this.lines.push(JSON.parse(line) as JsonLine);
      for (const wake of this.#waiting) wake();
    });
    const closed = new Promise<void>((resolve) => reader.once("close", resolve));
    this.done = Promise.all([jvm.exited, closed]).then(([status]) => {
      this.#ended = true;
      for (const wake of this.#waiting) wake();
      return status;
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The first line, printed already or later, that `accepts`; fails when the program ends without one. */
  line(accepts: (line: JsonLine) => boolean): Promise<JsonLine> {
    return this.until(() => this.lines.find(accepts));
  }

  /** Waits until `look` at the lines so far finds something. */
  until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const wake = () => {
        const found = look();
        if (found === undefined && !this.#ended) return;
        this.#waiting.delete(wake);
        if (found === undefined)
          reject(new Error(`the program ended without the awaited line\n${this.#stderr}`));
        else resolve(found);
      };
      this.#waiting.add(wake);
      wake();
    });
  }

  /** SIGTERM: a consumer commits, leaves its group and prints its end line. */
  async stop(): Promise<void> {
    this.jvm.child.kill("SIGTERM");
    await this.done;
  }

  async kill(): Promise<void> {
    await this.jvm.kill();
    await this.done;
  }
}

/** Starts a subcommand; options become `--name value`. */
export async function startProgram(
  command: ProgramCommand,
  args: Readonly<Record<string, string | number>>,
  options: JavaClientOptions,
): Promise<JavaProgram> {
  const argv = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return new JavaProgram(await client("interop.Main", [command, ...argv], options));
}

/** Runs a subcommand to its end and returns its lines; a status other than 0 is an error. */
export async function runProgram(
  command: ProgramCommand,
  args: Readonly<Record<string, string | number>>,
  options: JavaClientOptions,
): Promise<readonly JsonLine[]> {
  const program = await startProgram(command, args, options);
  const status = await program.done;
  if (status !== 0) {
    const last = program.lines.slice(-5).map((line) => JSON.stringify(line));
    throw new Error(`${command} ended with ${status}\n${last.join("\n")}\n${program.stderr}`);
  }
  return program.lines;
}

export interface AdminResult {
  readonly status: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs mqadmin, e.g. ["topicList", "-n", namesrv]. It exits with 0 even when a command failed: look at the text. */
export async function runAdmin(args: readonly string[], options: JavaClientOptions): Promise<AdminResult> {
  const jvm = await client("org.apache.rocketmq.tools.command.MQAdminStartup", args, options);
  const texts = { stdout: "", stderr: "" };
  const closed = (["stdout", "stderr"] as const).map((name) => {
    const stream = jvm.child[name];
    if (stream === null) throw new Error("mqadmin needs its output piped");
    stream.setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
    return new Promise<void>((resolve) => stream.once("close", resolve));
  });
  const [status] = await Promise.all([jvm.exited, ...closed]);
  return { status, ...texts };
}

async function client(mainClass: string, args: readonly string[], options: JavaClientOptions): Promise<Jvm> {
  return new Jvm({
    classpath: await javaClasspath(options.version ?? "5.5.0"),
    mainClass,
    args,
    properties: {
      // A consumer learns of its new retry topic by polling routes (30 s) and rebalancing (20 s): too slow for a test.
      "rocketmq.client.rebalance.waitInterval": "1000",
      "rocketmq.serialize.type": options.encoding ?? "JSON",
      "rocketmq.client.logRoot": `${options.home}/logs`,
      ...options.systemProperties,
    },
    flags: ["-Xms32m", "-Xmx256m"],
    home: options.home,
    rocketmqHome: javaDirectory,
    stdio: ["ignore", "pipe", "pipe"],
  });
}
