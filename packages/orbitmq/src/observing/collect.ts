/**
 * One reading of everything that is counted: copies of numbers, so that what is made of them (text for Prometheus, OTLP)
 * can take its time. Goes on in a later turn of the event loop whenever it has worked for a moment: a broker with
 * thousands of groups has tens of thousands of points.
 */
import type { HistogramValue, MetricFamily, MetricLabels, MetricPoint } from "@orbitmq/host";

/** A part of the server that counts. */
export interface MetricSource {
  /** Of every point: cluster, node_type, node_id. */
  readonly labels: MetricLabels;
  /** Learns what takes time to learn. */
  refresh(done: () => void): void;
  families(): Iterable<MetricFamily>;
}

export interface CollectedPoint {
  readonly labels: MetricLabels;
  readonly value: number | HistogramValue;
}

export interface CollectedFamily extends Omit<MetricFamily, "points"> {
  readonly points: readonly CollectedPoint[];
}

/** Gives the event loop a turn. */
export type Pause = () => Promise<void>;

/** The label OpenTelemetry has for what is beyond the limit. */
const OVERFLOW = "otel_metric_overflow";
const SLICE_MS = 2;
const STEP = 32;

/**
 * Families of all sources. Of each at most `pointsMax` points: what counters and histograms have beyond is added up in
 * one that says so, gauges beyond are left out.
 */
export async function collect(
  sources: readonly MetricSource[],
  pointsMax: number,
  pause: Pause,
): Promise<CollectedFamily[]> {
  const slice = new Slice(pause);
  const families = new Map<string, { family: Omit<MetricFamily, "points">; points: Points }>();
  let left = 0;
  for (const source of sources) {
    await new Promise<void>((resolve) => source.refresh(resolve));
    for (const { points, ...family } of source.families()) {
      let entry = families.get(family.name);
      if (entry === undefined) {
        entry = { family, points: new Points(family.kind, pointsMax) };
        families.set(family.name, entry);
      }
      for (const point of points) {
        entry.points.add(point, source.labels);
        if (slice.isOver()) await slice.rest();
      }
    }
  }
  for (const { points } of families.values()) left += points.left;
  return [
    ...[...families.values()].map(({ family, points }) => ({ ...family, points: points.all() })),
    {
      name: "orbitmq_metrics_overflow",
      kind: "gauge",
      help: "Points beyond metricsOtelCardinalityLimit, of all metrics together",
      points: [{ labels: sources[0]?.labels ?? {}, value: left }],
    },
  ];
}

/** A budget of time between two turns. */
export class Slice {
  readonly #pause: Pause;
  #untilMs = performance.now() + SLICE_MS;
  readonly #steps: number;
  #step = 0;

  /** Looks at the clock every so many steps. */
  constructor(pause: Pause, steps = STEP) {
    this.#pause = pause;
    this.#steps = steps;
  }

  isOver(): boolean {
    return ++this.#step % this.#steps === 0 && performance.now() >= this.#untilMs;
  }

  async rest(): Promise<void> {
    await this.#pause();
    this.#untilMs = performance.now() + SLICE_MS;
  }
}

class Points {
  left = 0;
  readonly #kind: MetricFamily["kind"];
  readonly #max: number;
  readonly #points: CollectedPoint[] = [];
  #overflow: { labels: MetricLabels; value: number | HistogramValue } | undefined;

  constructor(kind: MetricFamily["kind"], max: number) {
    this.#kind = kind;
    this.#max = max;
  }

  add({ labels, value }: MetricPoint, common: MetricLabels): void {
    // One place is the overflow's.
    if (this.#points.length < this.#max - 1) {
      this.#points.push({ labels: { ...common, ...labels }, value: copied(value) });
      return;
    }
    this.left++;
    if (this.#kind === "gauge") return;
    const before = this.#overflow?.value;
    const sum = before === undefined ? copied(value) : added(before, value);
    this.#overflow = { labels: { ...common, [OVERFLOW]: "true" }, value: sum };
  }

  all(): readonly CollectedPoint[] {
    return this.#overflow === undefined ? this.#points : [...this.#points, this.#overflow];
  }
}

function copied(value: number | HistogramValue): number | HistogramValue {
  if (typeof value === "number") return value;
  const { bounds, counts, sum, count } = value;
  return { bounds, counts: Array.from(counts), sum, count };
}

function added(a: number | HistogramValue, b: number | HistogramValue): number | HistogramValue {
  if (typeof a === "number" || typeof b === "number") return Number(a) + Number(b);
  const counts = Array.from(a.counts, (count, index) => count + (b.counts[index] ?? 0));
  return { bounds: a.bounds, counts, sum: a.sum + b.sum, count: a.count + b.count };
}
