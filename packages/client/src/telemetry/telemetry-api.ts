/**
 * As much of `@opentelemetry/api` as clients use, by shape: the package is optional, and whoever does not have it must be
 * able to compile against this one. Contexts are the package's own; nobody here looks into one.
 */
export type TelemetryAttributes = Record<string, string | number | boolean | string[]>;

export interface TelemetrySpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

export interface TelemetrySpan {
  spanContext(): TelemetrySpanContext;
  setAttributes(attributes: TelemetryAttributes): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  end(): void;
}

export interface TelemetrySpanOptions {
  kind?: number;
  attributes?: TelemetryAttributes;
  links?: { context: TelemetrySpanContext }[];
  /** Milliseconds since the epoch. */
  startTime?: number;
}

export interface TelemetryTracer {
  startSpan(name: string, options?: TelemetrySpanOptions, context?: unknown): TelemetrySpan;
}

export interface TelemetryInstrumentOptions {
  description?: string;
  unit?: string;
  advice?: { explicitBucketBoundaries?: number[] };
}

export interface TelemetryHistogram {
  record(value: number, attributes?: TelemetryAttributes): void;
}

export interface TelemetryCounter {
  add(value: number, attributes?: TelemetryAttributes): void;
}

export interface TelemetryObservation {
  observe(value: number, attributes?: TelemetryAttributes): void;
}

export interface TelemetryGauge {
  addCallback(callback: (observation: TelemetryObservation) => void): void;
  removeCallback(callback: (observation: TelemetryObservation) => void): void;
}

export interface TelemetryMeter {
  createHistogram(name: string, options?: TelemetryInstrumentOptions): TelemetryHistogram;
  createCounter(name: string, options?: TelemetryInstrumentOptions): TelemetryCounter;
  createObservableGauge(name: string, options?: TelemetryInstrumentOptions): TelemetryGauge;
}

type Carrier = Record<string, string>;

export interface TelemetryPropagator {
  inject(
    context: unknown,
    carrier: unknown,
    setter: { set(carrier: Carrier, key: string, value: string): void },
  ): void;
  extract(
    context: unknown,
    carrier: unknown,
    getter: { get(carrier: Carrier, key: string): string | undefined; keys(carrier: Carrier): string[] },
  ): unknown;
  fields(): string[];
}

/** The package `@opentelemetry/api` itself. */
export interface TelemetryApi {
  readonly trace: {
    getTracer(name: string): TelemetryTracer;
    setSpan(context: unknown, span: TelemetrySpan): unknown;
    getSpanContext(context: unknown): TelemetrySpanContext | undefined;
  };
  readonly context: {
    active(): unknown;
    with<T>(context: unknown, call: () => T): T;
  };
  readonly metrics: { getMeter(name: string): TelemetryMeter };
  readonly propagation: TelemetryPropagator;
  readonly ROOT_CONTEXT: unknown;
}

/** `SpanKind` and `SpanStatusCode`: numbers that are part of the package's contract. */
export const SpanKind = { CLIENT: 2, PRODUCER: 3, CONSUMER: 4 } as const;
export const STATUS_ERROR = 2;
