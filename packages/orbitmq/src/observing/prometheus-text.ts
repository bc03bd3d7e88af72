/**
 * A reading as Prometheus reads it, by OpenTelemetry's serializer, a part at a time: a name carries its unit, as in what
 * RocketMQ exports (rocketmq_storage_size_bytes).
 */
import { PrometheusSerializer } from "@opentelemetry/exporter-prometheus";
import { type CollectedFamily, type Pause, Slice } from "./collect.ts";
import { metricData, resourceMetrics } from "./otel.ts";

/** Points turned to text between two looks at the clock. */
const PART = 64;
const TIMES = { startMs: 0, endMs: 0, isDelta: false };
const serializer = new PrometheusSerializer("", false, undefined, true);

/** The name Prometheus knows a family by. */
export function prometheusName({ name, unit }: Pick<CollectedFamily, "name" | "unit">): string {
  return unit === undefined || unit === "" ? name : `${name}_${unit}`;
}

export async function prometheusText(families: readonly CollectedFamily[], pause: Pause): Promise<string> {
  const parts: string[] = [];
  const slice = new Slice(pause, 1);
  for (const family of families) {
    const named = { ...family, name: prometheusName(family), unit: "" };
    // One that has no points yet is named all the same: who writes a query finds it.
    for (let from = 0; from === 0 || from < family.points.length; from += PART) {
      const points = family.points.slice(from, from + PART);
      const text = serializer.serialize(resourceMetrics([metricData(named, points, TIMES)]));
      parts.push(from === 0 ? text : withoutHead(text));
      if (slice.isOver()) await slice.rest();
    }
  }
  return parts.join("");
}

/** HELP and TYPE are said once for a family. */
function withoutHead(text: string): string {
  let at = 0;
  while (text.startsWith("#", at)) at = text.indexOf("\n", at) + 1;
  return text.slice(at);
}
