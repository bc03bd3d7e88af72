/** What is exported where: the metrics keys of the configuration, understood and checked. */
import type { SocketAddress } from "@orbitmq/host";
import type { Configuration } from "../config/configuration.ts";
import { ServerError } from "../server-error.ts";

export interface PushSettings {
  readonly type: "OTLP_GRPC" | "OTLP_HTTP" | "LOG";
  /** A URL; of LOG none. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly isDelta: boolean;
  readonly pointsMax: number;
}

export interface ObservingSettings {
  /** Where /metrics and /health/… are served; absent: nowhere. */
  readonly listen: SocketAddress | undefined;
  /** Whether /metrics is served there. */
  readonly servesMetrics: boolean;
  readonly push: PushSettings | undefined;
  /** Label sets of one metric at most. */
  readonly pointsMax: number;
  /** Of every metric: metricsLabel. */
  readonly labels: Readonly<Record<string, string>>;
}

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Throws ServerError CONFIG_INVALID. */
export function observingSettings(config: Configuration): ObservingSettings {
  const type = config.text("metricsExporterType");
  const pointsMax = config.number("metricsOtelCardinalityLimit");
  const labels = pairs(config, "metricsLabel");
  for (const name of Object.keys(labels)) {
    if (!LABEL_NAME.test(name)) refuse(config, "metricsLabel", `${name} is no label's name`);
  }
  const listen = {
    host: config.text("metricsPromExporterHost"),
    port: config.number("metricsPromExporterPort"),
  };
  const isDelta = config.flag("metricsInDelta");
  const push = pushSettings(config, type, isDelta, pointsMax);
  if (isDelta && push !== undefined) labels["aggregation"] = "delta";
  if (isDelta && type === "PROM") refuse(config, "metricsInDelta", "Prometheus counts from the start on");
  return {
    listen: type === "DISABLE" ? undefined : listen,
    servesMetrics: type === "PROM",
    push,
    pointsMax,
    labels,
  };
}

function pushSettings(
  config: Configuration,
  type: string,
  isDelta: boolean,
  pointsMax: number,
): PushSettings | undefined {
  const target = config.text("metricsGrpcExporterTarget");
  const headers = pairs(config, "metricsGrpcExporterHeader");
  const timeoutMs = config.number("metricGrpcExporterTimeOutInMills");
  const otlpMs = config.number("metricGrpcExporterIntervalInMills");
  const logMs = config.number("metricLoggingExporterIntervalInMills");
  const common = { headers, timeoutMs, isDelta, pointsMax };
  if (type === "LOG") return { ...common, type, target: "", intervalMs: logMs };
  if (type !== "OTLP_GRPC" && type !== "OTLP_HTTP") return undefined;
  if (target === "") refuse(config, "metricsGrpcExporterTarget", `metricsExporterType=${type} needs it`);
  // RocketMQ's rule.
  const url = target.startsWith("http") ? target : `https://${target}`;
  if (!URL.canParse(url)) refuse(config, "metricsGrpcExporterTarget", "expected a URL, or host:port");
  return { ...common, type, target: url, intervalMs: otlpMs };
}

/** `name:value`, several separated by `,`. */
function pairs(config: Configuration, key: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of config.text(key).split(",")) {
    if (pair.trim() === "") continue;
    const at = pair.indexOf(":");
    if (at < 1) refuse(config, key, "expected name:value, several separated by ,");
    found[pair.slice(0, at).trim()] = pair.slice(at + 1).trim();
  }
  return found;
}

function refuse(config: Configuration, key: string, why: string): never {
  throw new ServerError("CONFIG_INVALID", `${config.sourceOf(key).where}: ${key}: ${why}`);
}
