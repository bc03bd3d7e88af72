/** The interfaces to the machine; the implementations are `@orbitmq/host/node` and `@orbitmq/host/sim`. */
export { AssertionFailed, assert, unreachable } from "./assert.ts";
export type { Clock, TimerHandle, Timers } from "./clock.ts";
export type { FileLock, FileStat, Files, Lane, OpenFile, OpenOptions } from "./files.ts";
export type { Host, HostProcess } from "./host.ts";
export { HostError } from "./host-error.ts";
export type { Logger, LogMethod } from "./log.ts";
export { silentLogger } from "./log.ts";
export type { HistogramValue, MetricFamily, MetricKind, MetricLabels, MetricPoint } from "./metrics.ts";
export { Histogram } from "./metrics.ts";
export type { Connection, ConnectionHandlers, Listener, Network, SocketAddress } from "./network.ts";
export type { Random } from "./random.ts";
export type { PhysicalOffset, QueueOffset } from "./units.ts";
export { physicalOffset, queueOffset } from "./units.ts";
