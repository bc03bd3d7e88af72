/**
 * Sends readings to a collector, or to the log, every so often (RocketMQ: metricsExporterType OTLP_GRPC and LOG). The
 * exporters are OpenTelemetry's; each is loaded when it is chosen.
 */
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { Logger } from "@orbitmq/host";
import { type CollectedFamily, collect, type MetricSource, type Pause } from "./collect.ts";
import { Deltas } from "./delta.ts";
import type { PushSettings } from "./observing-settings.ts";
import { metricData, resourceMetrics } from "./otel.ts";

type Send = (families: readonly CollectedFamily[]) => Promise<void>;

/** ExportResultCode.SUCCESS of @opentelemetry/core. */
const SUCCESS = 0;

export interface PushParts {
  /** Asked anew for every reading. */
  readonly sources: () => readonly MetricSource[];
  readonly logger: Logger;
  readonly pause: Pause;
  readonly wallMs: () => number;
}

export class MetricsPush {
  readonly #settings: PushSettings;
  readonly #parts: PushParts;
  readonly #deltas: Deltas | undefined;
  readonly #startMs: number;
  #lastMs: number;
  #exporter: PushMetricExporter | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;

  constructor(settings: PushSettings, parts: PushParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#deltas = settings.isDelta ? new Deltas() : undefined;
    this.#startMs = parts.wallMs();
    this.#lastMs = this.#startMs;
  }

  async start(): Promise<void> {
    const send = await this.#sender();
    this.#timer = setInterval(() => {
      // One at a time: a collector that is slow gets fewer readings.
      this.#running ??= this.#push(send).finally(() => {
        this.#running = undefined;
      });
    }, this.#settings.intervalMs);
    this.#timer.unref();
  }

  /** Sends no more; what is under way is waited for. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#exporter?.shutdown();
  }

  async #push(send: Send): Promise<void> {
    const { sources, pause, logger } = this.#parts;
    try {
      await send(await collect(sources(), this.#settings.pointsMax, pause));
      if (this.#failures > 0)
        logger.info({ failures: this.#failures }, "metrics reach their collector again");
      this.#failures = 0;
    } catch (error) {
      if (this.#failures++ === 0)
        logger.warn({ err: error }, "metrics do not reach their collector; going on trying");
    }
  }

  async #sender(): Promise<Send> {
    const exporter = await exporterOf(this.#settings, this.#parts.logger);
    this.#exporter = exporter;
    return (families) =>
      new Promise((resolve, reject) => {
        const endMs = this.#parts.wallMs();
        const isDelta = this.#deltas !== undefined;
        const startMs = isDelta ? this.#lastMs : this.#startMs;
        this.#lastMs = endMs;
        const counted = this.#deltas?.since(families) ?? families;
        const data = counted
          .filter(({ points }) => points.length > 0)
          .map((family) => metricData(family, family.points, { startMs, endMs, isDelta }));
        exporter.export(resourceMetrics(data), ({ code, error }) =>
          code === SUCCESS ? resolve() : reject(error ?? new Error("the exporter failed")),
        );
      });
  }
}

async function exporterOf(settings: PushSettings, logger: Logger): Promise<PushMetricExporter> {
  const { type, target, headers, timeoutMs } = settings;
  if (type === "LOG") {
    const { logExporter } = await import("./log-exporter.ts");
    return logExporter(logger);
  }
  const options = { url: target, timeoutMillis: timeoutMs };
  if (type === "OTLP_HTTP") {
    const { OTLPMetricExporter } = await import("@opentelemetry/exporter-metrics-otlp-proto");
    return new OTLPMetricExporter({ ...options, headers: { ...headers } });
  }
  const [{ OTLPMetricExporter }, { Metadata }] = await Promise.all([
    import("@opentelemetry/exporter-metrics-otlp-grpc"),
    import("@grpc/grpc-js"),
  ]);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return new OTLPMetricExporter({ ...options, metadata });
}
