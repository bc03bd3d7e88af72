/** Leaves a run's Markdown page, its figures as JSON, and its plots in a folder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Turn } from "../rounds.ts";
import { markdown, type Report } from "./markdown.ts";
import type { Summary } from "./summary.ts";
import { type Bar, svg } from "./svg.ts";

/** Returns the page. */
export function writeReport(folder: string, report: Report, turns: readonly Turn[]): string {
  mkdirSync(folder, { recursive: true });
  const page = markdown(report);
  writeFileSync(join(folder, "compare.md"), page);
  writeFileSync(join(folder, "compare.json"), `${JSON.stringify({ ...report, turns }, undefined, 2)}\n`);
  for (const flush of new Set(report.summaries.map((summary) => summary.flush))) {
    const mine = report.summaries.filter((summary) => summary.flush === flush);
    const rates = mine.map((summary) => bar(summary, summary.perSecond));
    writeFileSync(
      join(folder, `rate-${flush.toLowerCase()}.svg`),
      svg({ title: `Messages per second, ${flush}`, unit: "median, least to most", bars: rates }),
    );
    const latencies = mine.flatMap((summary) => [
      ...(summary.p50Ms === undefined ? [] : [bar(summary, summary.p50Ms, "p50")]),
      ...(summary.p99Ms === undefined ? [] : [bar(summary, summary.p99Ms, "p99")]),
    ]);
    if (latencies.length === 0) continue;
    writeFileSync(
      join(folder, `latency-${flush.toLowerCase()}.svg`),
      svg({
        title: `Latency of a send, ${flush}`,
        unit: "ms, logarithmic",
        bars: latencies,
        logarithmic: true,
      }),
    );
  }
  return page;
}

function bar({ workload, server }: Summary, value: Summary["perSecond"], what = ""): Bar {
  return { group: `${workload} ${what}`.trim(), series: server, value };
}
