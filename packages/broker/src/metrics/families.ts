/** The words in which metrics are written down. */
import type { MetricFamily, MetricKind, MetricPoint } from "@orbitmq/host";

export function family(
  name: string,
  kind: MetricKind,
  help: string,
  points: Iterable<MetricPoint>,
  unit?: string,
): MetricFamily {
  return { name, kind, help, unit, points };
}

/** One that has one point. */
export function single(
  name: string,
  kind: "counter" | "gauge",
  help: string,
  value: number,
  unit?: string,
): MetricFamily {
  return { name, kind, help, unit, points: [{ labels: {}, value }] };
}

export function* map<T, U>(items: Iterable<T>, to: (item: T) => U): Generator<U> {
  for (const item of items) yield to(item);
}
