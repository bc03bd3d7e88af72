/**
 * Whether a client has telemetry, decided once, when it starts. Unless asked for it imports nothing: an SDK that was
 * registered is known by the global that every copy of `@opentelemetry/api` shares, and without one nobody would see
 * what the client tells.
 */
import type { Logger } from "@orbitmq/host";
import { fromUnknown } from "../errors/error-from.ts";
import { OrbitError } from "../errors/errors.ts";
import type { TelemetryApi, TelemetryMeter, TelemetryPropagator, TelemetryTracer } from "./telemetry-api.ts";
import type { TelemetryOptions } from "./telemetry-options.ts";

export interface Telemetry {
  readonly api: TelemetryApi;
  readonly tracer: TelemetryTracer;
  readonly meter: TelemetryMeter;
  readonly propagator: TelemetryPropagator;
  /** What goes wrong in the application's OpenTelemetry is logged once, and changes nothing else. */
  failed(error: unknown): void;
}

const SHARED = Symbol.for("opentelemetry.js.api.1");
const NAME = "@orbitmq/client";

export function wantsTelemetry(option: boolean | TelemetryOptions | undefined): boolean {
  return option === undefined ? isRegistered() : option !== false;
}

function isRegistered(): boolean {
  const shared = (globalThis as Record<symbol, unknown>)[SHARED];
  return typeof shared === "object" && shared !== null && ("trace" in shared || "metrics" in shared);
}

/** After {@link wantsTelemetry}. Rejects with INVALID_ARGUMENT when it was asked for and the package is not there. */
export async function loadTelemetry(
  option: boolean | TelemetryOptions | undefined,
  logger: Logger,
): Promise<Telemetry | undefined> {
  const options: TelemetryOptions = typeof option === "object" ? option : {};
  const api = options.api ?? (await imported(option !== undefined, logger));
  if (api === undefined) return undefined;
  let told = false;
  return {
    api,
    tracer: options.tracer ?? api.trace.getTracer(NAME),
    meter: options.meter ?? api.metrics.getMeter(NAME),
    propagator: options.propagator ?? api.propagation,
    failed: (error) => {
      if (told) return;
      told = true;
      const { message } = fromUnknown(error);
      logger.error({ code: "INTERNAL", err: error }, `OpenTelemetry threw; messages go on: ${message}`);
    },
  };
}

async function imported(isAskedFor: boolean, logger: Logger): Promise<TelemetryApi | undefined> {
  try {
    return await import("@opentelemetry/api");
  } catch (cause) {
    const message = "telemetry needs the package @opentelemetry/api";
    if (isAskedFor) throw new OrbitError("INVALID_ARGUMENT", message, { cause });
    logger.warn({ code: "INVALID_ARGUMENT" }, `an OpenTelemetry SDK is registered, but ${message}`);
    return undefined;
  }
}
