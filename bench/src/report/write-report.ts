/** Leaves the Markdown page and the plots of results in a folder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "../results/result.ts";
import { markdown } from "./markdown.ts";
import { plots } from "./plots.ts";

/** Returns the page. */
export function leaveReport(folder: string, results: readonly Result[]): string {
  mkdirSync(folder, { recursive: true });
  const page = markdown(results);
  writeFileSync(join(folder, "report.md"), page);
  for (const { file, text } of plots(results)) writeFileSync(join(folder, file), text);
  return page;
}
