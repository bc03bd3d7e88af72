/** Options, limits and defaults of message traces (RocketMQ: enableTrace, AsyncTraceDispatcher). */
export interface TraceOptions {
  /** Where traces go. Default `RMQ_SYS_TRACE_TOPIC` (customizedTraceTopic). */
  readonly topic?: string | undefined;
  /** Contexts of one trace message, 1 to 20. Default 10 (traceMsgBatchNum). */
  readonly batchNum?: number | undefined;
}

export const traceLimits = {
  topic: "RMQ_SYS_TRACE_TOPIC",
  batchNum: 10,
  batchNumMax: 20,
  /** Contexts waiting at most; the next is dropped and counted. */
  contextsMax: 2_048,
  /** How long one waits for others. */
  flushIntervalMs: 5_000,
  messageBytesMax: 128_000,
  sendTimeoutMs: 5_000,
  /** Trace messages on their way at most. */
  sendsInFlightMax: 64,
  regionId: "DefaultRegion",
} as const;
