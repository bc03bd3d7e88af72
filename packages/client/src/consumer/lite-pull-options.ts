/** Options and defaults of a lite pull consumer (RocketMQ: DefaultLitePullConsumer). */
import type { ClientOptions } from "../options/client-options.ts";
import type { PushConsumerOptions } from "./consumer-options.ts";

export interface LitePullConsumerOptions
  extends ClientOptions,
    Pick<
      PushConsumerOptions,
      | "group"
      | "from"
      | "messageModel"
      | "localOffsetsFolder"
      | "pullBatchSize"
      | "pullThresholdForQueue"
      | "pullThresholdBytesForQueue"
      | "pullThresholdForTopic"
      | "pullThresholdBytesForTopic"
      | "filterHooks"
      | "trace"
      | "telemetry"
      | "consumeSpanMax"
      | "offsetPersistIntervalMs"
      | "rebalanceIntervalMs"
      | "allocateStrategy"
    > {
  /** Tell the brokers every `offsetPersistIntervalMs` what is done; false: only `commit()` does. Default true. */
  readonly autoCommit?: boolean | undefined;
}

export interface PollOptions {
  /** How long to wait for a message. Default 5000. */
  readonly timeoutMs?: number | undefined;
  /** Most messages of one call. Default 10, as RocketMQ's pullBatchSize here. */
  readonly messagesMax?: number | undefined;
}

export interface MessagesOptions {
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined;
}

export const litePullDefaults = {
  pollTimeoutMs: 5_000,
  pollMessagesMax: 10,
} as const;
