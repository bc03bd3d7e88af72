/** The process itself. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import type { MetricFamily, MetricPoint } from "@orbitmq/host";
import { version } from "../commands/version.ts";
import type { MetricSource } from "./collect.ts";

/** Every so many ms the event loop is asked how late it is; from the first reading on, not before. */
const RESOLUTION_MS = 50;
const NS_PER_MS = 1_000_000;

export function processSource(labels: MetricSource["labels"]): MetricSource {
  let delay: ReturnType<typeof monitorEventLoopDelay> | undefined;
  return {
    labels,
    refresh: (done) => {
      if (delay === undefined) {
        delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
        delay.enable();
      }
      done();
    },
    *families(): Generator<MetricFamily> {
      const one = (kind: "gauge" | "counter", name: string, help: string, value: number, unit?: string) => ({
        name: `orbitmq_${name}`,
        kind,
        help,
        unit,
        points: [{ labels: {}, value }],
      });
      yield {
        ...one("gauge", "build_info", "1; the labels say what runs", 1),
        points: [{ labels: { version, node: process.version }, value: 1 }],
      };
      const { rss, heapUsed, external } = process.memoryUsage();
      yield one("gauge", "process_resident_memory", "Memory of the process", rss, "bytes");
      yield one("gauge", "process_heap_used", "Of it, objects of JavaScript", heapUsed, "bytes");
      yield one("gauge", "process_external_memory", "Of it, buffers", external, "bytes");
      const { user, system } = process.cpuUsage();
      yield one("counter", "process_cpu_seconds_total", "Processor time used", (user + system) / 1e6);
      yield one("gauge", "process_uptime", "Since the process began", process.uptime(), "seconds");
      const about = "How late the event loop was since the last reading: the 99th percentile, and the worst";
      yield { ...one("gauge", "event_loop_delay", about, 0, "milliseconds"), points: delayPoints(delay) };
      delay?.reset();
    },
  };
}

function delayPoints(delay: ReturnType<typeof monitorEventLoopDelay> | undefined): MetricPoint[] {
  if (delay === undefined || delay.count === 0) return [];
  const late = (ns: number): number => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  return [
    { labels: { quantile: "0.99" }, value: late(delay.percentile(99)) },
    { labels: { quantile: "1" }, value: late(delay.max) },
  ];
}
