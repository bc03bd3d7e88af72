/**
 * Programs of the Java side that measure: RocketMQ's own load generators and ours of bench/java/src, which use its
 * official client. A heap of 512 MiB, and otherwise a JVM's defaults.
 */
import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { Jvm } from "@orbitmq/interop";

export interface JavaProgram {
  readonly pid: number;
  readonly stdout: Readable;
  readonly exited: Promise<number | NodeJS.Signals>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

const fetchScript = join(import.meta.dirname, "../../java/fetch");

let classpath: Promise<string> | undefined;

/** Of RocketMQ's client and servers, its load generators, its proxy, and our programs; fetched once. */
export function benchClasspath(): Promise<string> {
  classpath ??= promisify(execFile)(fetchScript).then(({ stdout }) => stdout.trim());
  return classpath;
}

export async function startJava(options: {
  readonly mainClass: string;
  readonly args: readonly string[];
  /** Where it may write. */
  readonly folder: string;
}): Promise<JavaProgram> {
  const jvm = new Jvm({
    classpath: await benchClasspath(),
    mainClass: options.mainClass,
    args: options.args,
    properties: { "orbitmq.logLevel": "ERROR" },
    flags: ["-server", "-Xms512m", "-Xmx512m"],
    startsFast: false,
    home: mkdtempSync(join(options.folder, "java-")),
    stdio: ["ignore", "pipe", "ignore"],
  });
  const { stdout } = jvm.child;
  if (stdout === null) throw new Error("the program's output is piped");
  return {
    pid: jvm.pid,
    stdout,
    exited: jvm.exited,
    stop: () => jvm.stop(),
    kill: () => jvm.kill(),
  };
}
