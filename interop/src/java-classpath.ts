/**
 * Where the jars and compiled programs of the Java side are. Asks `java/fetch`, which brings them first if they are
 * missing, so that a test needs no preparation; asked once per process.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const javaVersions = ["5.5.0", "4.9.8"] as const;
export type JavaVersion = (typeof javaVersions)[number];

const fetchScript = fileURLToPath(new URL("../java/fetch", import.meta.url));
let fetched: Promise<ReadonlyMap<string, string>> | undefined;

/** The class path (program and jars) for a client version; 5.5.0 holds the NameServer and the broker too. */
export async function javaClasspath(version: JavaVersion): Promise<string> {
  fetched ??= fetchAll();
  const classpath = (await fetched).get(version);
  if (classpath === undefined) throw new Error(`java/fetch told no class path for ${version}`);
  return classpath;
}

/** The jar of OpenTelemetry's agent. */
export async function javaAgent(): Promise<string> {
  fetched ??= fetchAll();
  const jar = (await fetched).get("agent");
  if (jar === undefined) throw new Error("java/fetch told nothing of the agent");
  return jar;
}

async function fetchAll(): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await promisify(execFile)(fetchScript);
  const lines = stdout.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => line.split("\t", 2) as [string, string]));
}
