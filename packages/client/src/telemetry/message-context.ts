/** The context of a trace as properties of a message (traceparent, tracestate, baggage), by the propagator. */
import type { AnyMessage } from "../message/message.ts";
import type { Telemetry } from "./load-telemetry.ts";
import type { TelemetrySpanContext } from "./telemetry-api.ts";

type Properties = Readonly<Record<string, string>>;

/** Longer values would leave too little room for other properties; the convention for baggage is this, too. */
const VALUE_CHARS_MAX = 8_192;

const setter = {
  set(carrier: Record<string, string>, key: string, value: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they separate properties
    if (value !== "" && value.length <= VALUE_CHARS_MAX && !/[\u0001\u0002]/.test(value))
      carrier[key] = value;
  },
};

const getter = {
  get: (carrier: Properties, key: string): string | undefined => carrier[key],
  keys: (carrier: Properties): string[] => Object.keys(carrier),
};

/** What a message sent in this context carries. */
export function carried({ propagator }: Telemetry, context: unknown): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagator.inject(context, carrier, setter);
  return carrier;
}

/** The context the message was made in, on top of the root. */
export function contextIn({ propagator, api }: Telemetry, properties: Properties): unknown {
  return propagator.extract(api.ROOT_CONTEXT, properties, getter);
}

/** Of the span the message was made in, if it tells. */
export function originOf(telemetry: Telemetry, properties: Properties): TelemetrySpanContext | undefined {
  return telemetry.api.trace.getSpanContext(contextIn(telemetry, properties));
}

/** Whether the application gave the message a context itself. */
export function hasContext({ propagator }: Telemetry, { properties }: AnyMessage<unknown>): boolean {
  return properties !== undefined && propagator.fields().some((field) => properties[field] !== undefined);
}
