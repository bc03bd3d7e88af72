/** The configuration keys of metrics and health, under RocketMQ's names. */
import type { SupportedKey } from "./supported-keys.ts";
import { flag, hostName, integer, oneOf, port, text } from "./value-kinds.ts";

const EXPORTERS = ["DISABLE", "PROM", "OTLP_GRPC", "OTLP_HTTP", "LOG"];

const exporter: SupportedKey = {
  key: "metricsExporterType",
  kind: oneOf(...EXPORTERS),
  default: "PROM",
  rocketmqDefault: "DISABLE",
  description:
    "Where metrics go: PROM serves them at `/metrics`, OTLP_GRPC and OTLP_HTTP (ours) send them to a collector, LOG writes them into the log. With all of them `/health/live` and `/health/ready` are served; DISABLE serves nothing.",
};

const listening = (portDefault: string): readonly SupportedKey[] => [
  {
    key: "metricsPromExporterPort",
    kind: port,
    default: portDefault,
    description:
      "The port of `/metrics` and `/health/…`; 0 picks a free one. Taken: a warning, and the server runs without. Flag `--metrics-port`.",
  },
  {
    key: "metricsPromExporterHost",
    kind: hostName,
    default: "127.0.0.1",
    rocketmqDefault: "brokerIP1",
    description: "The address they are served on. There is no access control: mind who can reach it.",
  },
];

const rest: readonly SupportedKey[] = [
  {
    key: "metricsOtelCardinalityLimit",
    kind: integer(10, 10_000_000),
    default: "50000",
    description:
      "Label sets of one metric. Counters beyond are added up in one with the label otel_metric_overflow, gauges beyond are left out.",
  },
  {
    key: "metricsGrpcExporterTarget",
    kind: text,
    default: "",
    description:
      "The collector of OTLP_GRPC, `http://host:4317` (without http:// or https://: TLS), or of OTLP_HTTP, `http://host:4318/v1/metrics`.",
  },
  {
    key: "metricsGrpcExporterHeader",
    kind: text,
    default: "",
    description: "Headers for the collector, `name:value`, several separated by `,`.",
  },
  {
    key: "metricGrpcExporterTimeOutInMills",
    kind: integer(1, 3_600_000, "ms"),
    default: "3000",
    description: "How long the collector may take to answer.",
  },
  {
    key: "metricGrpcExporterIntervalInMills",
    kind: integer(100, 3_600_000, "ms"),
    default: "60000",
    description: "How often metrics are sent to the collector.",
  },
  {
    key: "metricLoggingExporterIntervalInMills",
    kind: integer(100, 3_600_000, "ms"),
    default: "10000",
    description: "How often LOG writes them.",
  },
  {
    key: "metricsLabel",
    kind: text,
    default: "",
    description: "Labels for every metric, `name:value`, several separated by `,`.",
  },
  {
    key: "metricsInDelta",
    kind: flag,
    default: "false",
    description:
      "Counters are sent as what they grew since the last time, with the label aggregation=delta; not with PROM.",
  },
];

export const metricsKeys: readonly SupportedKey[] = [exporter, ...listening("5557"), ...rest];

/** RocketMQ's NameServer has no metrics; another port, because both may run on one machine. */
export const namesrvMetricsKeys: readonly SupportedKey[] = [exporter, ...listening("5556"), ...rest].map(
  (key) => ({ ...key, own: true }),
);
