/**
 * A Java program that says a line of JSON when it begins to count and one when it has its figures: CPU of it and of
 * the server is taken at both.
 */
import { createInterface } from "node:readline";
import { type CpuSpent, type CpuUse, cpuBetween, cpuOf } from "../measure/process-cpu.ts";
import { watchServer } from "../measure/server-watch.ts";
import { startJava } from "./java-program.ts";

export interface Figures {
  /** What its last line says. */
  readonly said: Readonly<Record<string, number>>;
  /** Between the two lines. */
  readonly seconds: number;
  readonly server: CpuSpent;
  readonly client: CpuSpent;
}

/** Rejects when it ends without its last line, or `timeoutMs` pass. */
export async function javaFigures(
  program: { readonly mainClass: string; readonly args: readonly string[]; readonly folder: string },
  serverPids: readonly number[],
  timeoutMs: number,
): Promise<Figures> {
  const jvm = await startJava(program);
  const timer = setTimeout(() => void jvm.kill(), timeoutMs);
  try {
    let begin: { at: number; serverUse: () => CpuSpent; client: CpuUse } | undefined;
    for await (const text of createInterface({ input: jvm.stdout })) {
      if (!text.startsWith("{")) continue;
      const said = JSON.parse(text) as Record<string, number> & { at: string };
      const now = { at: performance.now(), client: cpuOf([jvm.pid]) };
      if (said.at === "begin") begin = { ...now, serverUse: watchServer(serverPids) };
      else if (begin !== undefined) {
        return {
          said,
          seconds: (now.at - begin.at) / 1000,
          server: begin.serverUse(),
          client: cpuBetween(begin.client, now.client),
        };
      }
    }
    throw new Error(`${program.mainClass} ended, or was ended after ${timeoutMs} ms, without its figures`);
  } finally {
    clearTimeout(timer);
    await jvm.kill();
  }
}
