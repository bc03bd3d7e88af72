/**
 * Finds source files nobody can reach: neither imported nor named as a process to start, directly or through
 * others, from a package's doors, a command, a test or a script. A dead file misleads every reader after its last one.
 */
import { dirname, join, normalize } from "node:path/posix";
import { isTest } from "./packages.ts";
import type { Finding, Source } from "./source.ts";

/** `roots`: paths of entry files (package exports, commands named in package.json scripts). */
export function findDeadFiles(sources: readonly Source[], roots: readonly string[]): Finding[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const queue = sources.filter((source) => isTest(source.path)).map((source) => source.path);
  queue.push(...roots.filter((root) => byPath.has(root)));
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    const source = byPath.get(path);
    const named = source?.text.matchAll(/["'`/]([\w-]+\.ts)["'`]/g) ?? [];
    const mentions = [...(source?.imports ?? [])]
      .map(({ specifier }) => specifier)
      .filter((name) => name.startsWith("."));
    for (const mention of [...mentions, ...[...named].map((match) => match[1] as string)]) {
      const target = normalize(join(dirname(path), mention));
      if (byPath.has(target)) queue.push(target);
    }
  }
  return sources
    .filter((source) => !reached.has(source.path))
    .map((source) => ({
      path: source.path,
      line: 1,
      message: "nobody imports this file: use it or remove it",
    }));
}
