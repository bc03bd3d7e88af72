/** Results as Markdown: on what they were measured, every goal with its verdict, a table for each workload. */
import { type MetricName, metricNames, metricShapes } from "../measure/metrics.ts";
import { type Spread, spread } from "../measure/statistics.ts";
import { judge, type Verdict } from "../results/goal.ts";
import type { Result } from "../results/result.ts";

/** What the medians of fewer rounds say is marked. */
const ROUNDS_LEAST = 5;

/** The page of a run. */
export function markdown(results: readonly Result[]): string {
  return [
    "# Measured",
    "",
    machineSection(results),
    "",
    "## Goals",
    "",
    goalsTable(results),
    "",
    "## Figures",
    "",
    figuresSection(results, "###"),
    "",
  ].join("\n");
}

/** Machines, commands and flags; several of them when results of several runs are put together. */
export function machineSection(results: readonly Result[]): string {
  const machines = new Set(
    results.map(({ machine }) => {
      const { cores, cpu, memoryGiB, kernel, fileSystem, node, java, commit } = machine;
      return (
        `- Commit ${commit}: ${cores} cores (${cpu}), ${memoryGiB} GiB, Linux ${kernel}, ${fileSystem}; ` +
        `node ${node}; ${java}.`
      );
    }),
  );
  const commands = new Set(results.map(({ command }) => `- \`${command}\``));
  const about = new Map<string, Set<string>>();
  for (const result of results) {
    for (const [who, text] of Object.entries(result.about)) {
      const texts = about.get(who) ?? new Set();
      about.set(who, texts.add(text.replace(/, flushDiskType=\w+/, "")));
    }
  }
  return [
    ...machines,
    ...commands,
    ...[...about].map(([who, texts]) => `- ${who}: ${[...texts].join("; ")}`),
    "",
    "Medians of the rounds, in brackets the least and the most. Raw sync: 4 KiB write + fdatasync per second of the " +
      "same disk, measured before each turn. CPU: for each message.",
  ].join("\n");
}

export function goalsTable(results: readonly Result[]): string {
  const rows = results.flatMap((result) => judge(result).map((verdict) => goalRow(verdict, result)));
  return ["| workload | flush | goal | reached | figures | |", "|---|---|---|--:|---|---|", ...rows].join(
    "\n",
  );
}

function goalRow(verdict: Verdict, { scale, roundsWanted, turns }: Result): string {
  const { reached, figures, isRatio, passed, title, flush, goal } = verdict;
  const number = (value: number) =>
    value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });
  const rounds = Math.max(0, ...turns.map(({ round }) => round));
  const notes = [
    ...(scale === 1 ? [] : [`rehearsal at scale ${scale}`]),
    ...(rounds < roundsWanted ? [`${rounds} of ${roundsWanted} rounds`] : []),
    ...(rounds === roundsWanted && rounds < ROUNDS_LEAST
      ? [`${rounds === 1 ? "one round" : `${rounds} rounds`} only`]
      : []),
  ];
  const verdictText = passed === undefined ? "not measured" : passed ? "pass" : "falls short";
  const cells = [
    title,
    flush,
    goal,
    reached === undefined ? "" : `${number(reached)}${isRatio ? "×" : ""}`,
    isRatio ? figures.map(number).join(" : ") : "",
    [verdictText, ...notes].join(", "),
  ];
  return `| ${cells.join(" | ")} |`;
}

export function figuresSection(results: readonly Result[], heading: string): string {
  return results.map((result) => figures(result, heading)).join("\n\n");
}

function figures(result: Result, heading: string): string {
  const { turns, title, flush, discarded, scale } = result;
  const present = metricNames.filter((name) => turns.some(({ metrics }) => metrics[name] !== undefined));
  const whos = [...new Set(turns.map(({ who }) => who))];
  const rehearsal = scale === 1 ? "" : ` (rehearsal at scale ${scale})`;
  return [
    `${heading} ${title}, ${flush}${rehearsal}`,
    "",
    `| who | rounds | ${present.map((name) => metricShapes[name].title).join(" | ")} | raw sync/s |`,
    `|---|--:|${"--:|".repeat(present.length + 1)}`,
    ...whos.map((who) => row(result, who, present)),
    ...discarded.map((line) => `\nDid not count: ${line.replaceAll("\n", " ")}`),
  ].join("\n");
}

function row({ turns }: Result, who: string, present: readonly MetricName[]): string {
  const mine = turns.filter((turn) => turn.who === who);
  const cells = present.map((name) => {
    const values = mine.map(({ metrics }) => metrics[name]).filter((value) => value !== undefined);
    return values.length === 0 ? "" : ranged(spread(values), metricShapes[name].digits);
  });
  const raw = ranged(spread(mine.map(({ rawSyncPerSecond }) => rawSyncPerSecond)), 0);
  return `| ${[who, String(new Set(mine.map(({ round }) => round)).size), ...cells, raw].join(" | ")} |`;
}

function ranged({ median, least, most }: Spread, digits: number): string {
  const format = (value: number) =>
    value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (format(least) === format(most)) return format(median);
  return `${format(median)} (${format(least)}–${format(most)})`;
}
