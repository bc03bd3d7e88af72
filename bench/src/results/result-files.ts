/**
 * Results in a folder, a JSON file for each workload and flush mode, written anew after every turn: a run that breaks
 * off loses nothing, and `--resume` goes on behind what is there.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RESULT_FORMAT, type Result } from "./result.ts";

export function writeResult(folder: string, result: Result): void {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.name}.json`);
  writeFileSync(`${path}.tmp`, `${JSON.stringify(result, undefined, 1)}\n`);
  renameSync(`${path}.tmp`, path);
}

/** Undefined when there is no such file. Throws for one that is no result. */
export function readResult(folder: string, name: string): Result | undefined {
  const file = `${name}.json`;
  try {
    if (!readdirSync(folder).includes(file)) return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  return parseResult(readFileSync(join(folder, file), "utf8"), file);
}

/** Files and folders of them, alike. Of a name that comes twice the later one counts. */
export function readResults(paths: readonly string[]): Result[] {
  const byName = new Map<string, Result>();
  for (const path of paths) {
    const files = statSync(path).isDirectory()
      ? readdirSync(path)
          .filter((file) => file.endsWith(".json"))
          .sort()
          .map((file) => join(path, file))
      : [path];
    for (const file of files) {
      const result = parseResult(readFileSync(file, "utf8"), file);
      byName.set(result.name, result);
    }
  }
  return [...byName.values()];
}

/** Adds results to those kept in the folder, in place of what it has of the same names; returns all it has then. */
export function keepResults(folder: string, results: readonly Result[]): Result[] {
  for (const result of results) writeResult(folder, result);
  return readResults([folder]);
}

export function parseResult(text: string, where: string): Result {
  const value: unknown = JSON.parse(text);
  if (typeof value !== "object" || value === null || !("format" in value) || !("turns" in value)) {
    throw new Error(`${where} is no result of bench`);
  }
  if (value.format !== RESULT_FORMAT)
    throw new Error(`${where} has format ${value.format}, not ${RESULT_FORMAT}`);
  return value as Result;
}
