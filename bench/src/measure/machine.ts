/** On what the figures were measured: without it they mean nothing. */
import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  /** File system of the folder measured in. */
  readonly fileSystem: string;
  readonly node: string;
  readonly java: string;
  readonly commit: string;
}

export function describeMachine(folder: string): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    fileSystem: said("stat", ["-f", "-c", "%T", folder]),
    node: process.version,
    java: said("java", ["-version"]).split("\n")[0] ?? "",
    commit: said("git", ["describe", "--always", "--dirty"]),
  };
}

/** What a command prints; empty where it cannot be run. Java speaks on stderr. */
function said(program: string, args: readonly string[]): string {
  try {
    return execFileSync("/bin/sh", ["-c", '"$0" "$@" 2>&1', program, ...args], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}
