/** Options, limits and defaults of a producer (RocketMQ: DefaultMQProducer). */
import type { Random } from "@orbitmq/host";
import type { ClientOptions } from "../client-options.ts";
import type { AnyMessage, MessageQueue } from "../message.ts";

export interface ProducerOptions extends ClientOptions {
  /** Default `ORBITMQ_PRODUCER`. */
  readonly group?: string | undefined;
  /** For a send in total, retries included. Default 3000 (sendMsgTimeout). */
  readonly sendTimeoutMs?: number | undefined;
  /** Further attempts of `send`. Default 2 (retryTimesWhenSendFailed). */
  readonly retryTimes?: number | undefined;
  /** Further attempts of `sendAsync`. Default 2 (retryTimesWhenSendAsyncFailed). */
  readonly retryTimesAsync?: number | undefined;
  /** Longer bodies are compressed (zlib); Infinity: never. Default 4096 (compressMsgBodyOverHowmuch). */
  readonly compressOverBytes?: number | undefined;
  /** zlib level 1 to 9. Default 5. */
  readonly compressLevel?: number | undefined;
  /** Longest body, or batch. Default 4 MiB (maxMessageSize). */
  readonly messageBytesMax?: number | undefined;
  /** Queues of a topic that a broker creates on the first send. Default 4 (defaultTopicQueueNums). */
  readonly defaultTopicQueueNums?: number | undefined;
  /** Sends not yet over; the next is refused with OVERLOADED. Default 65,535. */
  readonly sendsInFlightMax?: number | undefined;
}

export const producerDefaults = {
  group: "ORBITMQ_PRODUCER",
  sendTimeoutMs: 3_000,
  retryTimes: 2,
  retryTimesAsync: 2,
  compressOverBytes: 4_096,
  compressLevel: 5,
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
