/** An exposition of metrics as lines that can be compared with those of another server. */
import { type Exposition, familyOf, type Sample } from "orbitmq/testing/prometheus";
import { countedRequests, notCompared } from "./metrics-differences.ts";

const RPC = "rocketmq_rpc_latency_milliseconds";

/** One for the kind of every family, one for every sample; ours, `orbitmq_…`, are left out. */
export function linesOf(exposition: Exposition): string[] {
  const lines = new Set<string>();
  for (const sample of exposition.samples) {
    const family = familyOf(exposition, sample.name);
    if (family.startsWith("orbitmq_") || sample.labels["node_type"] === "nameserver") continue;
    const kind = exposition.types.get(family);
    // What has not happened yet is counted as nothing by the one, and not told by the other.
    if (kind === "counter" && sample.value === 0) continue;
    lines.add(`# TYPE ${family} ${kind}`);
    lines.add(family === RPC ? rpcLine(sample) : lineOf(sample));
  }
  return [...lines].sort();
}

function lineOf({ name, labels, value }: Sample): string {
  const text = `${name}{${labelsText(labels)}}`;
  return notCompared.some(([samples]) => samples.test(text)) ? text : `${text} ${value}`;
}

/** Of most requests only that there were some, and which labels tell of them. */
function rpcLine(sample: Sample): string {
  if (countedRequests.includes(sample.labels["request_code"] ?? "")) return lineOf(sample);
  const labels = { ...sample.labels };
  for (const label of ["response_code", "is_long_polling", "result"])
    if (label in labels) labels[label] = "…";
  return `${sample.name}{${labelsText(labels)}}`;
}

/** Bounds are numbers, 10 or 10.0. */
function labelsText(labels: Sample["labels"]): string {
  return Object.entries(labels)
    .map(([label, value]) => [label, label === "le" && value !== "+Inf" ? String(Number(value)) : value])
    .sort(([a], [b]) => (a! < b! ? -1 : 1))
    .map(([label, value]) => `${label}="${value}"`)
    .join(",");
}
