/** What can be measured, by name: how a table calls it, in which unit it stands, with how many digits. */
export interface MetricShape {
  readonly title: string;
  /** Digits after the point. */
  readonly digits: number;
}

/** In the order of a table's columns. */
export const metricShapes = {
  perSecond: { title: "messages/s", digits: 0 },
  perCoreSecond: { title: "messages per client core and second", digits: 0 },
  consumedPerSecond: { title: "consumed/s", digits: 0 },
  p50Ms: { title: "p50 ms", digits: 2 },
  p99Ms: { title: "p99 ms", digits: 2 },
  p999Ms: { title: "p99.9 ms", digits: 2 },
  firstAckMs: { title: "launch to first acknowledgement ms", digits: 0 },
  tailP99BeforeMs: { title: "tail p99 before ms", digits: 2 },
  tailP99DuringMs: { title: "tail p99 meanwhile ms", digits: 2 },
  tailP99Ratio: { title: "meanwhile ÷ before", digits: 2 },
  stallP99Ms: { title: "stall p99 ms", digits: 2 },
  stallP999Ms: { title: "stall p99.9 ms", digits: 2 },
  stallMaxMs: { title: "longest stall ms", digits: 1 },
  serverCpuUs: { title: "server CPU µs", digits: 2 },
  serverThreadUs: { title: "its busiest thread µs", digits: 2 },
  clientCpuUs: { title: "client CPU µs", digits: 2 },
  idleRssMiB: { title: "RSS idle MiB", digits: 0 },
  serverRssMiB: { title: "RSS MiB", digits: 0 },
  peakRssMiB: { title: "peak RSS MiB", digits: 0 },
  namesrvRssMiB: { title: "of it NameServer MiB", digits: 0 },
  clientRssMiB: { title: "client RSS MiB", digits: 0 },
  flatness: { title: "largest deviation from the median", digits: 3 },
  clientCores: { title: "client cores", digits: 2 },
  storedGiB: { title: "log GiB", digits: 2 },
  caughtUpMs: { title: "caught up after ms", digits: 0 },
  refused: { title: "refused", digits: 0 },
} as const satisfies Readonly<Record<string, MetricShape>>;

export type MetricName = keyof typeof metricShapes;

export type Metrics = Readonly<Partial<Record<MetricName, number>>>;

export const metricNames = Object.keys(metricShapes) as readonly MetricName[];
