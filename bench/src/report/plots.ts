/** Plots of results: rate over what is in flight, latency percentiles, and rates of everything else, by flush mode. */
import type { MetricName } from "../measure/metrics.ts";
import { spread } from "../measure/statistics.ts";
import type { Result } from "../results/result.ts";
import { type Bar, svg } from "./svg.ts";

export interface PlotFile {
  readonly file: string;
  readonly title: string;
  readonly text: string;
}

interface PlotKind {
  readonly file: string;
  readonly title: string;
  readonly unit: string;
  readonly fits: (result: Result) => boolean;
  readonly metrics: readonly (readonly [metric: MetricName, label: string])[];
  readonly logarithmic?: boolean;
}

const isPipelined = ({ name }: Result): boolean => name.startsWith("pipelined-");
const isLatency = ({ name }: Result): boolean => name.startsWith("end-to-end-");
const percentiles = [
  ["p50Ms", "p50"],
  ["p99Ms", "p99"],
  ["p999Ms", "p99.9"],
] as const;

const kinds: readonly PlotKind[] = [
  {
    file: "rate-in-flight",
    title: "Messages per second over connections × in flight",
    unit: "median, least to most",
    fits: isPipelined,
    metrics: [["perSecond", ""]],
  },
  {
    file: "latency-in-flight",
    title: "Latency of a send over connections × in flight",
    unit: "ms, logarithmic",
    fits: isPipelined,
    metrics: percentiles,
    logarithmic: true,
  },
  {
    file: "end-to-end",
    title: "Born to listener at 1,000 messages/s",
    unit: "ms, logarithmic",
    fits: isLatency,
    metrics: percentiles,
    logarithmic: true,
  },
  {
    file: "rates",
    title: "Messages per second, other workloads",
    unit: "logarithmic; median, least to most",
    fits: (result) => !isPipelined(result) && !isLatency(result),
    metrics: [["perSecond", ""]],
    logarithmic: true,
  },
];

export function plots(results: readonly Result[]): PlotFile[] {
  const files: PlotFile[] = [];
  for (const flush of new Set(results.map((result) => result.flush))) {
    for (const kind of kinds) {
      const mine = results.filter((result) => result.flush === flush && kind.fits(result));
      const bars = mine.flatMap((result) =>
        kind.metrics.flatMap(([metric, label]) => barsOf(result, metric, label)),
      );
      if (bars.length === 0) continue;
      const title = `${kind.title}, ${flush}`;
      const { unit, logarithmic = false } = kind;
      files.push({
        file: `${kind.file}-${flush === "SYNC_FLUSH" ? "sync" : "async"}.svg`,
        title,
        text: svg({ title, unit, bars, logarithmic }),
      });
    }
  }
  return files;
}

function barsOf(result: Result, metric: MetricName, label: string): Bar[] {
  const group = `${result.name.replace(/^pipelined-|-a?sync$/g, "").replace(/-a?sync$/, "")} ${label}`.trim();
  const whos = [...new Set(result.turns.map(({ who }) => who))];
  return whos.flatMap((who) => {
    const values = result.turns
      .filter((turn) => turn.who === who)
      .map(({ metrics }) => metrics[metric])
      .filter((value) => value !== undefined && value > 0) as number[];
    return values.length === 0 ? [] : [{ group, series: who, value: spread(values) }];
  });
}
