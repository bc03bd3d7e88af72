/** Options, limits and defaults of a producer (RocketMQ: DefaultMQProducer). */
import type { Random } from "@orbitmq/host";
import type { BodyCompression } from "@orbitmq/wire";
import type { AnyMessage, MessageQueue } from "../message/message.ts";
import type { ClientOptions } from "../options/client-options.ts";
import type { TelemetryOptions } from "../telemetry/telemetry-options.ts";
import type { TraceOptions } from "../trace/trace-options.ts";
import type { CheckForbiddenHook, SendHook } from "./send-hooks.ts";

export interface ProducerOptions extends ClientOptions {
  /** Names the producers that do the same. Default `ORBITMQ_PRODUCER`. */
  readonly group?: string | undefined;
  /** For a send in total, retries included. Default 3000 (sendMsgTimeout). */
  readonly sendTimeoutMs?: number | undefined;
  /** Further attempts of `send`. Default 2 (retryTimesWhenSendFailed). */
  readonly retryTimes?: number | undefined;
  /** Further attempts of `sendAsync`. Default 2 (retryTimesWhenSendAsyncFailed). */
  readonly retryTimesAsync?: number | undefined;
  /** For one attempt of a `send` that may have another, in ms. Default none (sendMsgMaxTimeoutPerRequest, -1). */
  readonly sendTimeoutPerRequestMs?: number | undefined;
  /**
   * `send` tries another broker when one has the message but could not make it as safe as it should (10
   * FLUSH_DISK_TIMEOUT, 11 SLAVE_NOT_AVAILABLE, 12 FLUSH_SLAVE_TIMEOUT); the message may then be stored twice. Default
   * false.
   */
  readonly retryAnotherBrokerWhenNotStoreOK?: boolean | undefined;
  /** Prefer brokers that were neither slow nor failing lately (sendLatencyFaultEnable). Default false. */
  readonly sendLatencyFaultEnable?: boolean | undefined;
  /** Latencies in ms, ascending. Default 50, 100, 550, 1800, 3000, 5000, 15,000 (latencyMax). */
  readonly latencyMaxMs?: readonly number[] | undefined;
  /**
   * How long a broker is avoided after a latency of at least the same entry of `latencyMaxMs`, in ms; a failure counts
   * as 10,000. Default 0, 0, 2000, 5000, 6000, 10,000, 30,000 (notAvailableDuration).
   */
  readonly notAvailableDurationMs?: readonly number[] | undefined;
  /** With `sendLatencyFaultEnable`: ask brokers that failed every 3 s whether they answer again. Default false. */
  readonly startDetectorEnable?: boolean | undefined;
  /** The least time between two such questions to one broker. Default 2000 (detectInterval). */
  readonly detectIntervalMs?: number | undefined;
  /** How long a broker may take to answer one. Default 200 (detectTimeout). */
  readonly detectTimeoutMs?: number | undefined;
  /** Longer bodies are compressed; Infinity: never. A batch never is. Default 4096 (compressMsgBodyOverHowmuch). */
  readonly compressOverBytes?: number | undefined;
  /**
   * How: ZLIB, LZ4 or ZSTD (Node 22.15 or newer; INVALID_ARGUMENT elsewhere). Consumers need RocketMQ 5 for the last
   * two. Default ZLIB (compressType).
   */
  readonly compressType?: BodyCompression | undefined;
  /** zlib level 1 to 9. Default 5. */
  readonly compressLevel?: number | undefined;
  /** Longest body, or batch. Default 4 MiB (maxMessageSize). */
  readonly messageBytesMax?: number | undefined;
  /** Queues of a topic that a broker creates on the first send. Default 4 (defaultTopicQueueNums). */
  readonly defaultTopicQueueNums?: number | undefined;
  /** `sendAsync` waits for room instead of filling memory (enableBackpressureForAsyncMode). Default false. */
  readonly asyncBackPressure?: boolean | undefined;
  /** Messages of `sendAsync` on their way, at most; 10 or more. Default 1024 (backPressureForAsyncSendNum). */
  readonly asyncSendsMax?: number | undefined;
  /** Bytes of their bodies, at most; 1 MiB or more. Default 100 MiB (backPressureForAsyncSendSize). */
  readonly asyncSendBytesMax?: number | undefined;
  /**
   * `send` and `sendAsync` gather single messages of one topic, tag and WAIT property into batches. Messages with a
   * delay, selector, timeout or signal of their own go alone. Default false (autoBatch).
   */
  readonly autoBatch?: boolean | undefined;
  /** How long a message waits for others, 1 to 30,000. Default 10 (batchMaxDelayMs). */
  readonly batchMaxDelayMs?: number | undefined;
  /** Bytes of bodies after which a batch is sent at once, up to 2 MiB. Default 32,768 (batchMaxBytes). */
  readonly batchMaxBytes?: number | undefined;
  /** Bytes waiting for others in all; beyond, messages go alone. Default 32 MiB (totalBatchMaxBytes). */
  readonly totalBatchMaxBytes?: number | undefined;
  /**
   * Tell the trace topic of every message that was sent, recalled, or whose transaction ended. Default false
   * (enableTrace).
   */
  readonly trace?: boolean | TraceOptions | undefined;
  /**
   * Spans and metrics through `@opentelemetry/api`, which the application installs. Default: whenever an OpenTelemetry SDK
   * is registered by the time of `start()`. True: in any case; `start()` rejects with INVALID_ARGUMENT without the package.
   */
  readonly telemetry?: boolean | TelemetryOptions | undefined;
  /** Told of every attempt. Default none. */
  readonly sendHooks?: readonly SendHook[] | undefined;
  /** May refuse a send. Default none. */
  readonly checkForbiddenHooks?: readonly CheckForbiddenHook[] | undefined;
  /** Sends not yet over; the next is refused with OVERLOADED. Default 65,535. */
  readonly sendsInFlightMax?: number | undefined;
}

export const producerDefaults = {
  group: "ORBITMQ_PRODUCER",
  sendTimeoutMs: 3_000,
  retryTimes: 2,
  retryTimesAsync: 2,
  compressOverBytes: 4_096,
  compressType: "ZLIB",
  compressLevel: 5,
  detectIntervalMs: 2_000,
  detectTimeoutMs: 200,
  asyncSendsMax: 1_024,
  asyncSendBytesMax: 100 * 1024 * 1024,
  batchMaxDelayMs: 10,
  batchMaxBytes: 32 * 1024,
  totalBatchMaxBytes: 32 * 1024 * 1024,
  messageBytesMax: 4 * 1024 * 1024,
  propertiesBytesMax: 32_767,
  defaultTopicQueueNums: 4,
  sendsInFlightMax: 65_535,
} as const;

/**
 * Chooses one of `queues` (never empty; every writable queue of the topic) for a message. What it returns
 * otherwise, and a throw, refuses the send with NO_QUEUE_AVAILABLE.
 */
export type QueueSelector = (
  queues: readonly MessageQueue[],
  message: AnyMessage<unknown>,
  random: Random,
) => MessageQueue | undefined;

export interface SendOptions {
  /** In total, retries included. Default the producer's `sendTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with ABORTED; a message already on its way may still be stored (see `outcome`). */
  readonly signal?: AbortSignal | undefined;
  /** Send to this queue. `send` then has no second attempt, `sendAsync` retries the same queue, as RocketMQ. */
  readonly queue?: MessageQueue | undefined;
  /** Let this choose the queue; retried as with `queue`. */
  readonly selector?: QueueSelector | undefined;
}
