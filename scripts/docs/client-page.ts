/** Where docs/client.md and what its tables are made from lie; run as a program it writes the page. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Sources, withTables } from "./option-tables.ts";

const root = join(import.meta.dirname, "../..");
const page = join(root, "docs/client.md");

export const readPage = (): string => readFileSync(page, "utf8");

export function clientSources(): Sources {
  const folder = join(root, "packages/client/src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .sort();
  return new Map(files.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(page, withTables(readPage(), clientSources()));
