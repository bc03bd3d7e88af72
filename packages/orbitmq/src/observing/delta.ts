/** Turns counts since the start into those since the reading before (RocketMQ: metricsInDelta). */
import type { HistogramValue, MetricLabels } from "@orbitmq/host";
import type { CollectedFamily, CollectedPoint } from "./collect.ts";

export class Deltas {
  #before = new Map<string, number | HistogramValue>();

  /** `families` with counters and histograms as they grew; gauges as they are. */
  since(families: readonly CollectedFamily[]): CollectedFamily[] {
    const now = new Map<string, number | HistogramValue>();
    const grown = families.map((family) => {
      if (family.kind === "gauge") return family;
      const points = family.points.map((point): CollectedPoint => {
        const key = `${family.name} ${keyOf(point.labels)}`;
        now.set(key, point.value);
        const before = this.#before.get(key);
        return before === undefined ? point : { labels: point.labels, value: less(point.value, before) };
      });
      return { ...family, points };
    });
    this.#before = now;
    return grown;
  }
}

function keyOf(labels: MetricLabels): string {
  return JSON.stringify(Object.entries(labels));
}

function less(now: number | HistogramValue, before: number | HistogramValue): number | HistogramValue {
  if (typeof now === "number" || typeof before === "number") return Number(now) - Number(before);
  const counts = Array.from(now.counts, (count, index) => count - (before.counts[index] ?? 0));
  return { bounds: now.bounds, counts, sum: now.sum - before.sum, count: now.count - before.count };
}
