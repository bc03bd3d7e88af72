/** A reading in OpenTelemetry's words, for its serializer and exporters. Loaded when the first reading is exported. */
import type { HrTime } from "@opentelemetry/api";
import { emptyResource } from "@opentelemetry/resources";
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from "@opentelemetry/sdk-metrics";
import type { HistogramValue } from "@orbitmq/host";
import type { CollectedFamily, CollectedPoint } from "./collect.ts";

/** RocketMQ's meter: OPEN_TELEMETRY_METER_NAME. */
const SCOPE = { name: "broker-meter" };
const resource = emptyResource();
/** ValueType.DOUBLE of @opentelemetry/api. */
const DOUBLE = 1;

export interface OtelTimes {
  /** Since when is counted, and now; wall ms. */
  readonly startMs: number;
  readonly endMs: number;
  /** Counts are those since `startMs` only because the reading before was then. */
  readonly isDelta: boolean;
}

export function resourceMetrics(metrics: MetricData[]): ResourceMetrics {
  return { resource, scopeMetrics: [{ scope: SCOPE, metrics }] };
}

/** One family, or a part of its points. */
export function metricData(
  family: Omit<CollectedFamily, "points">,
  points: readonly CollectedPoint[],
  times: OtelTimes,
): MetricData {
  const { name, help, unit, kind } = family;
  const descriptor = { name, description: help, unit: unit ?? "", valueType: DOUBLE };
  const startTime = hrTime(times.startMs);
  const endTime = hrTime(times.endMs);
  const aggregationTemporality = times.isDelta
    ? AggregationTemporality.DELTA
    : AggregationTemporality.CUMULATIVE;
  const base = { descriptor, aggregationTemporality };
  if (kind === "histogram") {
    const dataPoints = points.map(({ labels, value }) => {
      const { bounds, counts, sum, count } = value as HistogramValue;
      const buckets = { boundaries: [...bounds], counts: Array.from(counts) };
      return { startTime, endTime, attributes: labels, value: { buckets, sum, count } };
    });
    return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints };
  }
  const dataPoints = points.map(({ labels, value }) => ({
    startTime,
    endTime,
    attributes: labels,
    value: value as number,
  }));
  if (kind === "counter") return { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
  return {
    ...base,
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.GAUGE,
    dataPoints,
  };
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000);
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)];
}
