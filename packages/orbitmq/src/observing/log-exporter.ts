/** Readings as lines of the log, in OTLP's JSON (RocketMQ: OtlpJsonLoggingMetricExporter). */
import { JsonMetricsSerializer } from "@opentelemetry/otlp-transformer";
import type { PushMetricExporter } from "@opentelemetry/sdk-metrics";
import type { Logger } from "@orbitmq/host";

const SUCCESS = 0;

/** One line per metric: a line with all of them would be too long for most that read logs. */
export function logExporter(logger: Logger): PushMetricExporter {
  const decoder = new TextDecoder();
  return {
    export: ({ resource, scopeMetrics }, done) => {
      for (const { scope, metrics } of scopeMetrics)
        for (const metric of metrics) {
          const bytes = JsonMetricsSerializer.serializeRequest({
            resource,
            scopeMetrics: [{ scope, metrics: [metric] }],
          });
          const otlp: unknown = JSON.parse(decoder.decode(bytes));
          // A message of its own: the log holds back what is said too often.
          const { name } = metric.descriptor;
          logger.info({ metric: name, otlp }, `metrics: ${name}`);
        }
      done({ code: SUCCESS });
    },
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
}
