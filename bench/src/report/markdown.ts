/** The figures as a Markdown page: the machine, a table for each workload, the goals. */
import type { Machine } from "../measure/machine.ts";
import type { Spread } from "../measure/statistics.ts";
import type { Summary, Verdict } from "./summary.ts";

export interface Report {
  readonly machine: Machine;
  /** `npm run bench -- compare …`, to repeat it. */
  readonly command: string;
  readonly about: Readonly<Record<string, string>>;
  readonly summaries: readonly Summary[];
  readonly verdicts: readonly Verdict[];
}

export function markdown({ machine, command, about, summaries, verdicts }: Report): string {
  const lines = [
    "# Measured",
    "",
    `\`${command}\`, commit ${machine.commit}. ${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, ` +
      `Linux ${machine.kernel}, ${machine.fileSystem}; node ${machine.node}; ${machine.java}.`,
    "",
    "Medians of the rounds, in brackets the least and the most. Raw sync: 4 KiB write + fdatasync per second of the " +
      "same disk, measured before each turn. CPU: of the server's processes, for each message.",
    "",
    ...Object.entries(about).map(([server, text]) => `- ${server}: ${text}`),
  ];
  for (const key of new Set(summaries.map(({ flush, workload }) => `${flush} ${workload}`))) {
    const group = summaries.filter(({ flush, workload }) => `${flush} ${workload}` === key);
    lines.push(
      "",
      `## ${group[0]!.title}, ${group[0]!.flush}`,
      "",
      "| server | messages/s | p50 ms | p99 ms | p99.9 ms | CPU µs | busiest thread µs | RSS MiB | client cores | refused | raw sync/s |",
      "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
      ...group.map(row),
    );
  }
  if (verdicts.length > 0) {
    lines.push("", "## Goals", "", "| workload | flush | goal | reached | |", "|---|---|---|--:|---|");
    for (const { workload, flush, goal, reached, passed } of verdicts) {
      lines.push(
        `| ${workload} | ${flush} | ${goal} | ${reached.toFixed(2)}× | ${passed ? "pass" : "falls short"} |`,
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

function row(summary: Summary): string {
  const cells = [
    summary.server,
    ranged(summary.perSecond, 0),
    ranged(summary.p50Ms, 2),
    ranged(summary.p99Ms, 2),
    ranged(summary.p999Ms, 2),
    ranged(summary.serverCpuUs, 2),
    ranged(summary.serverThreadUs, 2),
    ranged(summary.serverRssMiB, 0),
    ranged(summary.clientCores, 2),
    String(summary.refused),
    ranged(summary.rawSyncPerSecond, 0),
  ];
  return `| ${cells.join(" | ")} |`;
}

function ranged(values: Spread | undefined, digits: number): string {
  if (values === undefined) return "";
  const format = (value: number) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${format(values.median)} (${format(values.least)}–${format(values.most)})`;
}
