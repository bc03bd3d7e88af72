/** Options, limits and defaults of a push consumer (RocketMQ: DefaultMQPushConsumer). */
import type { ClientOptions } from "../client-options.ts";
import type { OrbitError } from "../errors.ts";
import type { ReceivedMessage } from "../received-message.ts";

/** Where a group starts in a queue it has no offset for: the oldest message, the newest, or a point in time. */
export type ConsumeFrom = "first" | "last" | Date;

export interface PushConsumerOptions extends ClientOptions {
  readonly group: string;
  /** Default "last", as RocketMQ: messages from before the group's first start are skipped. */
  readonly from?: ConsumeFrom | undefined;
  /** Listeners running at the same time, over all queues. Default 20. */
  readonly concurrency?: number | undefined;
  /** A listener running longer sees `context.signal` abort. Default 900,000 (consumeTimeout, 15 min). */
  readonly consumeTimeoutMs?: number | undefined;
  /** When a failed message is consumed again. Default 5000. */
  readonly reconsumeDelayMs?: number | undefined;
  /** Messages asked for in one pull. Default 32 (pullBatchSize); brokers cap it. */
  readonly pullBatchSize?: number | undefined;
  /** Messages of one queue held here, beyond which it is not pulled. Default 1000 (pullThresholdForQueue). */
  readonly pullThresholdForQueue?: number | undefined;
  /** Bytes of one queue held here, beyond which it is not pulled. Default 100 MiB (pullThresholdSizeForQueue). */
  readonly pullThresholdBytesForQueue?: number | undefined;
  /** Offsets between the oldest and newest message held, beyond which a queue is not pulled. Default 2000. */
  readonly consumeSpanMax?: number | undefined;
  /** How often offsets are sent to the brokers. Default 5000 (persistConsumerOffsetInterval). */
  readonly offsetPersistIntervalMs?: number | undefined;
  /** How often queues are divided anew without anything having happened. Default 20,000. */
  readonly rebalanceIntervalMs?: number | undefined;
  /**
   * Told of every failed consumption: the listener threw or asked for another time, its result was no result
   * (LISTENER_RESULT_INVALID), the body did not decode (DECODE_FAILED, BODY_UNREADABLE). `message.value` is
   * the raw body. For metrics and alarms; the client consumes the message again by itself.
   */
  readonly onConsumeFailure?: ((error: OrbitError, message: ReceivedMessage) => void) | undefined;
}

export const consumerDefaults = {
  from: "last",
  concurrency: 20,
  consumeTimeoutMs: 15 * 60 * 1000,
  reconsumeDelayMs: 5_000,
  pullBatchSize: 32,
  pullBytesMax: 256 * 1024,
  pullThresholdForQueue: 1_000,
  pullThresholdBytesForQueue: 100 * 1024 * 1024,
  consumeSpanMax: 2_000,
  offsetPersistIntervalMs: 5_000,
  rebalanceIntervalMs: 20_000,
  batchMessagesMax: 32,
  /** How long a broker may hold a pull that finds nothing, and how long we wait for it. */
  suspendTimeoutMs: 15_000,
  pullTimeoutMs: 30_000,
  /** Pause after a pull that failed (pullTimeDelayMillsWhenException), or was limited by the broker (215). */
  pullRetryDelayMs: 1_000,
  flowControlDelayMs: 20,
  /** A topic without a route is asked for again after the first, growing to the second. */
  routeRetryMinMs: 100,
  routeRetryMaxMs: 900,
} as const;
