/** Options, limits and defaults of a push consumer (RocketMQ: DefaultMQPushConsumer). */

import type { OrbitError } from "../errors/errors.ts";
import type { ReceivedMessage } from "../message/received-message.ts";
import type { ClientOptions } from "../options/client-options.ts";
import type { TelemetryOptions } from "../telemetry/telemetry-options.ts";
import type { TraceOptions } from "../trace/trace-options.ts";
import type { ConsumeHook, FilterHook } from "./listening/consume-hooks.ts";
import type { AllocateStrategy } from "./rebalance/allocate-strategy.ts";

/** Where a group starts in a queue it has no offset for: the oldest message, the newest, or a point in time. */
export type ConsumeFrom = "first" | "last" | Date;

export type MessageModel = "CLUSTERING" | "BROADCASTING";

export interface PushConsumerOptions extends ClientOptions {
  /** The members of a group share its messages, and must subscribe to the same. */
  readonly group: string;
  /** Where a new group starts. Default "last", as RocketMQ: messages from before the group's first start are skipped. */
  readonly from?: ConsumeFrom | undefined;
  /**
   * CLUSTERING: the members of the group share the messages. BROADCASTING: each member gets all of them, keeps its
   * offsets in a file of its own, and messages that fail are not consumed again. Default CLUSTERING.
   */
  readonly messageModel?: MessageModel | undefined;
  /**
   * BROADCASTING: where offsets are kept, as `<folder>/<clientId>/<group>/offsets.json`. Default
   * `~/.rocketmq_offsets`, as RocketMQ. The client id is `ip@DEFAULT` then unless given: two broadcasting consumers
   * of one group on one machine need a `clientId` each.
   */
  readonly localOffsetsFolder?: string | undefined;
  /**
   * How often a message that fails comes again before it is a dead letter. Default 16; for listeners in order without
   * end (maxReconsumeTimes).
   */
  readonly maxReconsumeTimes?: number | undefined;
  /** Listeners running at the same time, over all queues. Default 20. */
  readonly concurrency?: number | undefined;
  /**
   * A listener running longer sees `context.signal` abort, and its message goes back to the broker and comes again
   * after 10 s. Default 900,000 (consumeTimeout, 15 min).
   */
  readonly consumeTimeoutMs?: number | undefined;
  /** When a failed message that the broker did not take back is consumed again here. Default 5000. */
  readonly reconsumeDelayMs?: number | undefined;
  /**
   * Listeners in order: how long a queue rests after a failure. Default 1000 (suspendCurrentQueueTimeMillis), from 10
   * to 30,000.
   */
  readonly suspendCurrentQueueTimeMs?: number | undefined;
  /**
   * Messages asked for in one pull, as long as so many are left until `pullThresholdForQueue`; else what is left, but 32
   * in any case. Default 256 (pullBatchSize); brokers cap it, RocketMQ at 32.
   */
  readonly pullBatchSize?: number | undefined;
  /** Messages of one queue held here, beyond which it is not pulled. Default 1000 (pullThresholdForQueue). */
  readonly pullThresholdForQueue?: number | undefined;
  /** Bytes of one queue held here, beyond which it is not pulled. Default 100 MiB (pullThresholdSizeForQueue). */
  readonly pullThresholdBytesForQueue?: number | undefined;
  /**
   * Messages of one topic held here, divided by the queues held of it; counts instead of `pullThresholdForQueue`.
   * Default none (pullThresholdForTopic, -1).
   */
  readonly pullThresholdForTopic?: number | undefined;
  /** Bytes likewise, instead of `pullThresholdBytesForQueue`. Default none (pullThresholdSizeForTopic, -1). */
  readonly pullThresholdBytesForTopic?: number | undefined;
  /** Offsets between the oldest and newest message held, beyond which a queue is not pulled. Default 2000. */
  readonly consumeSpanMax?: number | undefined;
  /**
   * False: brokers divide the queues, and say for each group and topic whether it pulls or pops them
   * (SET_MESSAGE_REQUEST_MODE); not for listeners in order and broadcasting consumers. Default true (clientRebalance).
   */
  readonly clientRebalance?: boolean | undefined;
  /** Popped messages of one broker and topic held here, beyond which no more are popped. Default 96 (popThresholdForQueue). */
  readonly popThresholdForQueue?: number | undefined;
  /** Messages asked for in one pop, 1 to 32. Default 32 (popBatchNums). */
  readonly popBatchNums?: number | undefined;
  /**
   * How long a popped message is nobody else's without a word of this consumer, 5000 to 300,000 ms; it is renewed while
   * a listener is slower. Default 60,000 (popInvisibleTime).
   */
  readonly popInvisibleTimeMs?: number | undefined;
  /** How often offsets are sent to the brokers. Default 5000 (persistConsumerOffsetInterval). */
  readonly offsetPersistIntervalMs?: number | undefined;
  /**
   * How the members of the group divide a topic's queues; the same for all of them. Default `allocateAveragely`
   * (allocateMessageQueueStrategy).
   */
  readonly allocateStrategy?: AllocateStrategy | undefined;
  /** How often queues are divided anew without anything having happened. Default 20,000. */
  readonly rebalanceIntervalMs?: number | undefined;
  /**
   * Told of every failed consumption: the listener threw or asked for another time, its result was no result
   * (LISTENER_RESULT_INVALID), the body did not decode (DECODE_FAILED, BODY_UNREADABLE). `message.value` is
   * the raw body. For metrics and alarms; the message comes again by itself.
   */
  readonly onConsumeFailure?: ((error: OrbitError, message: ReceivedMessage) => void) | undefined;
  /** Tell the trace topic of every message before and after it is consumed. Default false (enableTrace). */
  readonly trace?: boolean | TraceOptions | undefined;
  /**
   * Spans and metrics through `@opentelemetry/api`, which the application installs. Default: whenever an OpenTelemetry SDK
   * is registered by the time of `start()`. True: in any case; `start()` rejects with INVALID_ARGUMENT without the package.
   */
  readonly telemetry?: boolean | TelemetryOptions | undefined;
  /** Told of every call of a listener. Default none. */
  readonly consumeHooks?: readonly ConsumeHook[] | undefined;
  /** Asked of every message that came and matches the subscription. Default none. */
  readonly filterHooks?: readonly FilterHook[] | undefined;
  /** Told of every message that failed and is the broker's again, to be retried or to be a dead letter. */
  readonly onSentBack?: ((message: ReceivedMessage) => void) | undefined;
}

export const consumerDefaults = {
  from: "last",
  messageModel: "CLUSTERING",
  maxReconsumeTimes: 16,
  concurrency: 20,
  consumeTimeoutMs: 15 * 60 * 1000,
  reconsumeDelayMs: 5_000,
  pullBatchSize: 256,
  /** Asked for although fewer would fill the queue up to its threshold: a slow listener should not cost a pull each message. */
  pullBatchSizeMin: 32,
  pullBytesMax: 256 * 1024,
  pullThresholdForQueue: 1_000,
  pullThresholdBytesForQueue: 100 * 1024 * 1024,
  consumeSpanMax: 2_000,
  popThresholdForQueue: 96,
  popBatchNums: 32,
  popInvisibleTimeMs: 60_000,
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
  suspendCurrentQueueTimeMs: 1_000,
  /** Queue locks are asked for again, and hold without an answer, and how long an answer may take. */
  lockIntervalMs: 20_000,
  lockLiveMs: 30_000,
  lockTimeoutMs: 1_000,
  /** How long a broker has for taking a message back. */
  sendBackTimeoutMs: 5_000,
} as const;
