/**
 * `npm run bench -- report FILE…`: results of one or several runs, files or folders of them, as one Markdown page and
 * plots in `--out`. With `--docs` they are kept in docs/performance/results, in place of older ones of the same
 * workloads, and all that is there becomes the figures of docs/performance.md, between its comments, and its plots.
 */
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { catalogue, choose } from "./catalogue.ts";
import { benchOptions } from "./options.ts";
import { figuresSection, goalsTable, machineSection } from "./report/markdown.ts";
import { plots } from "./report/plots.ts";
import { fillSection } from "./report/sections.ts";
import { leaveReport } from "./report/write-report.ts";
import type { Result } from "./results/result.ts";
import { keepResults, readResults } from "./results/result-files.ts";

const docs = join(import.meta.dirname, "../../docs");
const USAGE = `FILE… [options]

Results of one or several runs, files or folders of them, as one Markdown page and
plots in --out. With --docs they are kept in docs/performance/results, in place of older ones of the same
workloads, and all that is there becomes the figures of docs/performance.md, between its comments, and its plots.

  FILE…   default bench-results
  --out DIR (default: the first folder given) --docs`;

const { values, positionals } = benchOptions({
  name: "report",
  usage: USAGE,
  allowPositionals: true,
  options: { out: { type: "string" }, docs: { type: "boolean", default: false } },
});
const paths = positionals.length === 0 ? ["bench-results"] : positionals;

/** As `compare` goes through them; what it does not know comes last. */
function inOrder(results: readonly Result[]): Result[] {
  const names = choose(catalogue, undefined).map(({ name }) => name);
  const place = ({ name }: Result) => (names.includes(name) ? names.indexOf(name) : names.length);
  return [...results].sort((a, b) => place(a) - place(b));
}

function fillDocs(results: readonly Result[]): void {
  const pictures = join(docs, "performance");
  mkdirSync(pictures, { recursive: true });
  const drawn = plots(results);
  for (const { file, text } of drawn) writeFileSync(join(pictures, file), text);
  const path = join(docs, "performance.md");
  const sections = {
    machine: machineSection(results),
    goals: goalsTable(results),
    plots: drawn.map(({ file, title }) => `![${title}](performance/${file})`).join("\n\n"),
    figures: figuresSection(results, "####"),
  };
  let page = readFileSync(path, "utf8");
  for (const [name, content] of Object.entries(sections)) page = fillSection(page, name, content);
  writeFileSync(path, page);
}

const results = inOrder(readResults(paths));
if (results.length === 0) throw new Error(`no results in ${paths.join(", ")}`);
const first = paths[0] as string;
const out = values.out ?? (statSync(first).isDirectory() ? first : dirname(first));
console.log(leaveReport(out, results));
if (values.docs) fillDocs(inOrder(keepResults(join(docs, "performance/results"), results)));
