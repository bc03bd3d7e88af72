/** What an application may say of OpenTelemetry. */
import type { TelemetryApi, TelemetryMeter, TelemetryPropagator, TelemetryTracer } from "./telemetry-api.ts";

export interface TelemetryOptions {
  /** The package `@opentelemetry/api`; for programs that are bundled. Default: imported. */
  readonly api?: TelemetryApi | undefined;
  /** Makes the spans. Default: the registered provider's tracer `@orbitmq/client`. */
  readonly tracer?: TelemetryTracer | undefined;
  /** Makes the metrics. Default: the registered provider's meter `@orbitmq/client`. */
  readonly meter?: TelemetryMeter | undefined;
  /** Writes the context into messages and reads it. Default: the registered one. */
  readonly propagator?: TelemetryPropagator | undefined;
}
